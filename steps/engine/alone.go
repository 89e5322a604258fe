package engine

// Alone calls f while no run can begin, for what is no run of its own and must not
// meet one. Where a run is under way, was interrupted or awaits its confirmation, f is
// not called and the error is a *BusyError.
func (e *Engine) Alone(f func() error) (err error) {
	release, err := e.lock()
	if err != nil {
		return err
	}
	defer func() { err = first(err, release()) }()
	switch pending, err := e.pending(); {
	case err != nil:
		return err
	case pending != nil && pending.Status == StatusAwaiting:
		return &BusyError{Due: pending.ID}
	case pending != nil:
		return &BusyError{Interrupted: pending.ID}
	}
	return f()
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
