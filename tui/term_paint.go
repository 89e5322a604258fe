package tui

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// repaint is the bytes that make a terminal that shows from show to, as few as
// are easily found: cell by cell, or after scrolling a part of the screen, or
// after clearing all of it. All of it is what a VT100 knows (EK-VT100-UG-003):
// CUP, CUF, ED, EL, SGR, and, if the terminal has scrolling regions, DECSTBM and
// RI.
//
// The last cell of the last row is never written: a terminal that wraps at once
// would scroll.
func repaint(from, to *grid, regions bool) []byte {
	best := (&pen{shown: from.copyOf()}).differences(to)
	if len(best) < worthScrolling {
		return best
	}
	try := func(p *pen) bool {
		b := (&pen{shown: p.shown.copyOf(), out: slices.Clone(p.out)}).differences(to)
		if len(b) >= len(best) {
			return false
		}
		best = b
		return true
	}
	p := &pen{shown: from.copyOf()}
	for range mostScrolls {
		top, bottom, n, ok := shifted(&p.shown, to, regions)
		if !ok {
			break
		}
		p.scroll(top, bottom, n)
		if !try(p) {
			break
		}
	}
	p = &pen{shown: from.copyOf()}
	p.clear()
	try(p)
	return best
}

const (
	worthScrolling = 60 // bytes, from which on another way is looked for
	mostScrolls    = 3  // parts of a screen that move each their own way
)

// shifted finds the rows, top to bottom, that are best scrolled, and by how many
// lines up (or down, if n is negative).
func shifted(from, to *grid, regions bool) (top, bottom, n int, ok bool) {
	h := to.h
	was, is := digests(from), digests(to)
	cost := func(other, y int) int { // of making row y of what stands in row other
		if was[other].sum != is[y].sum {
			return is[y].end
		}
		return costOf(from.row(other), to.row(y))
	}
	stay := make([]int, h)
	for y := range h {
		stay[y] = costOf(from.row(y), to.row(y))
	}
	best := worthScrolling / 3
	for d := -h + 1; d < h; d++ {
		if d == 0 {
			continue
		}
		sum, start := 0, 0
		for y := max(0, -d); y < min(h, h-d); y++ { // the best run of rows, by what each gains
			if sum <= 0 {
				sum, start = 0, y
			}
			sum += stay[y] - cost(y+d, y)
			if sum > best {
				best, top, bottom, n, ok = sum, start, y, d, true
			}
		}
	}
	switch {
	case !ok:
		return 0, 0, 0, false
	case !regions: // all of the screen is all that scrolls, and only up
		return 0, h - 1, n, n > 0
	case n > 0:
		bottom += n
	default:
		top += n
	}
	return top, bottom, n, true
}

// digest tells rows apart: where they end, and a sum of what stands in them but
// for the first two columns, where a cursor may be and be gone.
type digest struct {
	end int
	sum uint64
}

func digests(g *grid) []digest {
	out := make([]digest, g.h)
	for y := range out {
		row := g.row(y)
		d := digest{end: blankFrom(row), sum: 14695981039346656037} // FNV-1a, cell by cell
		for x := 2; x < d.end; x++ {
			c := row[x]
			v := uint64(c.r)<<24 | uint64(c.fg)<<16 | uint64(c.bg)<<8
			for i, is := range []bool{c.bold, c.underline, c.reverse} {
				if is {
					v |= 1 << i
				}
			}
			d.sum = (d.sum ^ v) * 1099511628211
		}
		out[y] = d
	}
	return out
}

// costOf is about how many bytes it takes to make one row of another.
func costOf(from, to []cell) int {
	end, was := blankFrom(to), blankFrom(from)
	k := 0
	for x := range end {
		if from[x] != to[x] {
			k++
		}
	}
	if was > end {
		k += min(4, was-end)
	}
	return k
}

// pen writes to a screen and knows what then stands there.
type pen struct {
	shown grid // with its cursor; x of w: where that is depends on the terminal
	out   []byte
	look  look
}

func (p *pen) clear() {
	p.dress(look{})
	p.out = append(p.out, "\x1b[H\x1b[2J"...)
	p.shown.x, p.shown.y = 0, 0
	p.shown.erase(0, len(p.shown.cells))
}

func (p *pen) scroll(top, bottom, n int) {
	whole := top == 0 && bottom == p.shown.h-1
	if !whole {
		p.out = append(p.out, "\x1b["...)
		p.out = strconv.AppendInt(p.out, int64(top+1), 10)
		p.out = append(p.out, ';')
		p.out = strconv.AppendInt(p.out, int64(bottom+1), 10)
		p.out = append(p.out, 'r')
		p.shown.x, p.shown.y = 0, 0
	}
	if n > 0 {
		p.move(0, bottom)
		p.out = append(p.out, slices.Repeat([]byte{'\n'}, n)...)
	} else {
		p.move(0, top)
		p.out = append(p.out, slices.Repeat([]byte("\x1bM"), -n)...)
	}
	if !whole {
		p.out = append(p.out, "\x1b[r"...)
		p.shown.x, p.shown.y = 0, 0
	}
	p.shown.scroll(top, bottom, n)
}

// differences writes what differs between what is shown and to, and leaves the
// cursor where to has it.
func (p *pen) differences(to *grid) []byte {
	last := to.h // the first of the rows that are empty to the end
	for last > 0 && blankFrom(to.row(last-1)) == 0 {
		last--
	}
	left := 0
	for y := last; y < to.h; y++ {
		left += blankFrom(p.shown.row(y))
	}
	for y := range to.h {
		if y == last && left > 2 {
			p.move(0, y)
			p.dress(look{})
			p.out = append(p.out, "\x1b[J"...)
			p.shown.erase(y*to.w, len(p.shown.cells))
			break
		}
		p.line(to.row(y), y)
	}
	p.dress(look{})
	if x := min(to.x, to.w-1); x >= 0 && to.h > 0 {
		p.move(x, to.y)
	}
	return p.out
}

func (p *pen) line(want []cell, y int) {
	shown := p.shown.row(y)
	end, was := blankFrom(want), blankFrom(shown)
	limit := len(want)
	if y == p.shown.h-1 {
		limit--
	}
	if was <= end+3 { // the rest is as cheap written
		end = min(max(end, was), limit)
	}
	for x := 0; x < min(end, limit); x++ {
		if want[x] == shown[x] {
			continue
		}
		if want[x].r == 0 { // the right half comes with the left one
			x--
		}
		p.move(x, y)
		p.write(want[x:])
		if x+1 < len(want) && want[x+1].r == 0 {
			x++
		}
	}
	if was > end && end < limit {
		p.move(end, y)
		p.dress(look{})
		p.out = append(p.out, "\x1b[K"...)
		p.shown.erase(y*p.shown.w+end, (y+1)*p.shown.w)
	}
}

// blankFrom is the column from which on a row is blank.
func blankFrom(row []cell) int {
	n := len(row)
	for n > 0 && row[n-1] == blank {
		n--
	}
	return n
}

// write draws the first character of cells at the cursor.
func (p *pen) write(cells []cell) {
	c := cells[0]
	p.dress(c.look)
	p.out = utf8.AppendRune(p.out, c.r)
	row := p.shown.row(p.shown.y)
	row[p.shown.x] = c
	p.shown.x++
	if len(cells) > 1 && cells[1].r == 0 {
		row[p.shown.x] = cells[1]
		p.shown.x++
	}
}

// dress changes how the next characters look. 22, 24 and 27, which take one
// thing off, are younger than a VT100.
func (p *pen) dress(l look) {
	if l == p.look {
		return
	}
	if l == (look{}) {
		p.out = append(p.out, "\x1b[m"...)
		p.look = l
		return
	}
	had := p.look
	seq := []byte("\x1b[")
	add := func(n int) {
		if len(seq) > 2 {
			seq = append(seq, ';')
		}
		seq = strconv.AppendInt(seq, int64(n), 10)
	}
	if had.bold && !l.bold || had.underline && !l.underline || had.reverse && !l.reverse || had.fg != 0 && l.fg == 0 || had.bg != 0 && l.bg == 0 {
		add(0)
		had = look{}
	}
	if l.bold && !had.bold {
		add(1)
	}
	if l.underline && !had.underline {
		add(4)
	}
	if l.reverse && !had.reverse {
		add(7)
	}
	if l.fg != had.fg {
		add(29 + int(l.fg))
	}
	if l.bg != had.bg {
		add(39 + int(l.bg))
	}
	p.out = append(append(p.out, seq...), 'm')
	p.look = l
}

// move takes the cursor to a cell by the shortest way.
func (p *pen) move(x, y int) {
	fx, fy := p.shown.x, p.shown.y
	if fx == x && fy == y {
		return
	}
	p.shown.x, p.shown.y = x, y
	best := cup(x, y)
	try := func(way []byte) {
		if len(way) < len(best) {
			best = way
		}
	}
	if fx < p.shown.w { // after the last column nobody knows where the cursor is
		switch {
		case fy == y && fx < x:
			try(p.over(fx, x, y))
			try(right(x - fx))
		case fy == y && fx-x < len(best):
			try(slices.Repeat([]byte{'\b'}, fx-x))
		}
		if down := y - fy; down >= 0 && 1+down < len(best) {
			way := append([]byte{'\r'}, slices.Repeat([]byte{'\n'}, down)...)
			try(append(slices.Clone(way), p.over(0, x, y)...))
			try(append(slices.Clone(way), right(x)...))
		}
	}
	p.out = append(p.out, best...)
}

// over goes from column fx to x by writing once more what stands there; where
// that looks otherwise, it is a way too long to be taken.
func (p *pen) over(fx, x, y int) []byte {
	if x-fx > 8 {
		return slices.Repeat([]byte{' '}, 16)
	}
	way := make([]byte, 0, 8)
	for _, c := range p.shown.row(y)[fx:x] {
		if c.look != p.look || c.r < ' ' || c.r > '~' {
			return slices.Repeat([]byte{' '}, 16)
		}
		way = append(way, byte(c.r))
	}
	return way
}

func right(n int) []byte {
	switch n {
	case 0:
		return nil
	case 1:
		return []byte("\x1b[C")
	}
	return append(strconv.AppendInt([]byte("\x1b["), int64(n), 10), 'C')
}

func cup(x, y int) []byte {
	b := []byte("\x1b[")
	if x > 0 || y > 0 {
		b = strconv.AppendInt(b, int64(y+1), 10)
	}
	if x > 0 {
		b = append(b, ';')
		b = strconv.AppendInt(b, int64(x+1), 10)
	}
	return append(b, 'H')
}
