package engine

import "context"

type stopKey struct{}

// Uncut is a context that outlives ctx, for an operation that is not cut off once
// it has begun, but can learn that it should not go on waiting.
func Uncut(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), stopKey{}, ctx.Done())
}

// Stopping is closed when whoever waits for a Do wants it to end. An operation
// that waits for somebody else (a lock), and has changed nothing yet, then returns
// an error; one that has begun ends what it does. Nil, which never is closed, where
// there is nobody.
func Stopping(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(stopKey{}).(<-chan struct{})
	return done
}
