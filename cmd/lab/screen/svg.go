package screen

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// The size of a cell in a picture, in pixels, and the colours of a terminal that was
// told nothing: light grey on a dark ground.
const (
	cellW, cellH = 8.4, 18.0
	margin       = 12.0
	ground, ink  = "#1c1c1c", "#d0d0d0"
)

// SVG is a picture of the screen: text that can be copied, each run of cells as wide
// as it is on a terminal, whatever font shows it.
func (t *Terminal) SVG() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, h := t.emulator.Width(), t.emulator.Height()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace" font-size="14">`+"\n",
		float64(w)*cellW+2*margin, float64(h)*cellH+2*margin)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", ground)
	for y := range h {
		for _, r := range t.stretches(y, w) {
			r.draw(&b, y)
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// stretch is cells of one style beside each other.
type stretch struct {
	x, w  int
	text  string
	style uv.Style
}

func (t *Terminal) stretches(y, w int) []stretch {
	var out []stretch
	for x := 0; x < w; {
		cell := uv.Cell{Content: " ", Width: 1}
		if c := t.emulator.CellAt(x, y); c != nil && c.Width > 0 {
			cell = *c
		}
		if n := len(out); n > 0 && out[n-1].style.Equal(&cell.Style) {
			out[n-1].text += cell.Content
			out[n-1].w += cell.Width
		} else {
			out = append(out, stretch{x, cell.Width, cell.Content, cell.Style})
		}
		x += cell.Width
	}
	return out
}

func (r stretch) draw(b *bytes.Buffer, y int) {
	fg, bg := hex(r.style.Fg, ink), hex(r.style.Bg, "")
	if r.style.Attrs&uv.AttrReverse != 0 {
		if bg == "" {
			bg = ground
		}
		fg, bg = bg, fg
	}
	x, top := margin+float64(r.x)*cellW, margin+float64(y)*cellH
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, top, float64(r.w)*cellW, cellH, bg)
	}
	text := strings.TrimRight(r.text, " ")
	if text == "" {
		return
	}
	wide := r.w - (len(r.text) - len(text)) // what was trimmed is one cell a byte
	bold := ""
	if r.style.Attrs&uv.AttrBold != 0 {
		bold = ` font-weight="bold"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s"%s textLength="%.1f" xml:space="preserve">%s</text>`+"\n",
		x, top+13.5, fg, bold, float64(wide)*cellW, strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text))
}

func hex(c color.Color, none string) string {
	if c == nil {
		return none
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
