package report

import (
	"bytes"
	_ "embed"
	"html/template"

	"goxin/assets/lang"
)

//go:embed page.html
var pageHTML string

// HTML is the report as one page that refers to nothing outside of it, runs no
// script and prints on A4.
func (r *Report) HTML(l lang.Lang) ([]byte, error) {
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, page{r, l})
	return b.Bytes(), err
}
