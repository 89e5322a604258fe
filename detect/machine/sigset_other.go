//go:build !loong64

package machine

func sigsetSizes() []int { return nil }
