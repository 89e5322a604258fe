package detect

import (
	"slices"
	"strconv"
	"strings"
)

// cpuinfo is /proc/cpuinfo: what it says of the whole and of each processor.
// Keys are lower-cased: LoongArch's two kernels differ in their case.
type cpuinfo struct {
	common map[string]string
	cpus   []map[string]string
	// upper says that a key that only LoongArch writes as "Model Name" or
	// "Features" was so written (upstream kernel), lower that it was written
	// "model name" or "features".
	upper, lower bool
}

// parseCPUInfo reads it, as far as it goes: a last line cut short is kept for
// what it says. A numbered "processor" line opens a processor; what stands
// before the first, or after an empty line without one, is said of the whole.
func parseCPUInfo(s string) cpuinfo {
	c := cpuinfo{common: map[string]string{}}
	current := c.common
	for line := range strings.Lines(s) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			if strings.TrimSpace(line) == "" {
				current = c.common
			}
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch key {
		case "Model Name", "CPU Family", "ISA":
			c.upper = true
		case "model name", "cpu family", "isa":
			c.lower = true
		}
		key = strings.ToLower(key)
		if _, err := strconv.Atoi(value); key == "processor" && err == nil {
			current = map[string]string{}
			c.cpus = append(c.cpus, current)
		}
		if _, dup := current[key]; !dup {
			current[key] = value
		}
	}
	return c
}

// get is the first value of the first of keys that has one, whichever CPU says it.
func (c cpuinfo) get(keys ...string) (value, key string) {
	for _, k := range keys {
		for _, cpu := range c.cpus {
			if v := cpu[k]; v != "" {
				return v, k
			}
		}
		if v := c.common[k]; v != "" {
			return v, k
		}
	}
	return "", ""
}

// distinct are the different values of key, in the CPUs' order.
func (c cpuinfo) distinct(key string) []string {
	var out []string
	for _, cpu := range c.cpus {
		if v := cpu[key]; v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	if v := c.common[key]; v != "" && len(out) == 0 {
		out = append(out, v)
	}
	return out
}

// flags are the features that every CPU has: a program may run on any of them.
func (c cpuinfo) flags(key string) []string {
	var all []string
	last := ""
	for i, cpu := range c.cpus {
		v := cpu[key]
		switch {
		case i == 0:
			all = strings.Fields(v)
		case v != last:
			here := strings.Fields(v)
			all = slices.DeleteFunc(all, func(f string) bool { return !slices.Contains(here, f) })
		}
		last = v
	}
	if len(all) == 0 && (len(c.cpus) == 0 || !c.anyCPU(key)) {
		return strings.Fields(c.common[key])
	}
	return all
}

func (c cpuinfo) anyCPU(key string) bool {
	return slices.ContainsFunc(c.cpus, func(m map[string]string) bool { return m[key] != "" })
}

// pick keeps those of want that flags has, in want's order.
func pick(flags []string, want ...string) []string {
	out := []string{}
	for _, w := range want {
		if slices.Contains(flags, w) {
			out = append(out, w)
		}
	}
	return out
}

// parseList reads the kernel's lists of CPUs and nodes: "0-3,8,10-11".
func parseList(s string) ([]int, bool) {
	var out []int
	for _, part := range strings.Split(strings.TrimSpace(s), ",") {
		from, to, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(from)
		b := a
		if err == nil && isRange {
			b, err = strconv.Atoi(to)
		}
		if err != nil || a < 0 || b < a || b-a > 1<<16 || len(out) > 1<<16 {
			return nil, false
		}
		for n := a; n <= b; n++ {
			out = append(out, n)
		}
	}
	return out, true
}
