package drill

import "strings"

// The marks of a strip, from an answer at once to none.
const (
	stripNone = ' '
	stripFast = '.' // up to 10 ms
	stripSlow = ':' // up to 50 ms
	stripLate = '|' // slower, and in time
	stripLost = 'x'
)

// Strip draws answers over time in ASCII, the worst of each column; a second line has v
// over where the fault was set and ^ where it was taken back.
func (p Plot) Strip(width int) (answers, marks string) {
	if width < 1 || len(p.Worst) == 0 || p.Every <= 0 {
		return "", ""
	}
	width = min(width, len(p.Worst))
	row := []byte(strings.Repeat(string(stripNone), width))
	rank := strings.Index
	const order = " .:|x"
	for i, ms := range p.Worst {
		mark := byte(stripFast)
		switch {
		case ms == PlotLost:
			mark = stripLost
		case ms == PlotEmpty:
			mark = stripNone
		case ms > 50:
			mark = stripLate
		case ms > 10:
			mark = stripSlow
		}
		at := i * width / len(p.Worst)
		if rank(order, string(mark)) > rank(order, string(row[at])) {
			row[at] = mark
		}
	}
	under := []byte(strings.Repeat(" ", width))
	put := func(at int64, mark byte) {
		if col := int(at) * width / len(p.Worst); at >= 0 && col < width {
			under[col] = mark
		}
	}
	put(int64(p.Set/p.Every), 'v')
	put(int64(p.Back/p.Every), '^')
	return string(row), strings.TrimRight(string(under), " ")
}
