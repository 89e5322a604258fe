//go:build e2e && pairs

package main

import "testing"

// TestPairsOfOtherMachines are those that take too long for every day: `make pairs`.
func TestPairsOfOtherMachines(t *testing.T) {
	t.Run("amd64 with arm64", func(t *testing.T) { pairedAndBack(t, Spec{}, Spec{Arch: "arm64"}, true) })
	t.Run("bullseye", func(t *testing.T) { pairedAndBack(t, Spec{Release: "bullseye"}, Spec{Release: "bullseye"}, false) })
	t.Run("trixie", func(t *testing.T) { pairedAndBack(t, Spec{Release: "trixie"}, Spec{Release: "trixie"}, false) })
}
