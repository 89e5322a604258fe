package engine

import "reflect"

// looked is a survey and the answers it was made with.
type looked struct {
	values Values
	found  Survey
}

func (e *Engine) remember(s Step, v Values, found Survey) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.surveyed == nil {
		e.surveyed = make(map[string]looked)
	}
	e.surveyed[s.ID()] = looked{v, found}
}

// forgetSurveys is for when a machine has been changed.
func (e *Engine) forgetSurveys() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.surveyed = nil
}

// recall is the survey made with the same answers, if no machine was changed
// since.
func (e *Engine) recall(s Step, v Values) (Survey, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, ok := e.surveyed[s.ID()]
	return l.found, ok && reflect.DeepEqual(l.values, v)
}
