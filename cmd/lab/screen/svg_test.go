package screen

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/charmbracelet/x/vt"
)

func TestAPictureShowsColoursChineseAndWhatXMLWouldTrip(t *testing.T) {
	x := &Terminal{emulator: vt.NewEmulator(20, 3)}
	_, _ = x.emulator.WriteString("\x1b[1;36mgoxin\x1b[m 软件源 <&>\r\n\x1b[7mhere\x1b[m")
	svg := string(x.SVG())
	for _, want := range []string{`font-weight="bold"`, ">goxin<", "软件源 &lt;&amp;&gt;", `textLength="92.4"`, `fill="#1c1c1c" textLength="33.6" xml:space="preserve">here<`} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in\n%s", want, svg)
		}
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
