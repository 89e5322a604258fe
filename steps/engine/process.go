package engine

import (
	"os"
	"strings"
	"time"
)

// holder is this process, as the lock's note tells others of it.
func holder(now time.Time) Holder {
	return Holder{PID: os.Getpid(), Since: now, Command: strings.Join(os.Args, " ")}
}
