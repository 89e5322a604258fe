package answers

import (
	"strings"

	"goxin/assets/lang"
)

// didYouMean is the hint for a word that is none of those there are.
func didYouMean(word string, there []string) lang.Text {
	if s := nearest(word, there); s != "" {
		return lang.F("did you mean %s?", "是否想写 %s？", s)
	}
	if len(there) == 0 {
		return lang.T("remove it", "请删除")
	}
	return lang.F("there is: %s", "可用：%s", lang.T(strings.Join(there, ", "), strings.Join(there, "、")))
}

// nearest is the word a typing mistake away from word, or "".
func nearest(word string, there []string) string {
	const longest = 64 // beyond, nobody mistyped
	w := fold(word)
	if len(w) > longest {
		return ""
	}
	best, least := "", min(3, (len(w)+1)/3)+1
	for _, t := range there {
		if len(t) > longest {
			continue
		}
		if d := distance(w, fold(t)); d < least {
			best, least = t, d
		}
	}
	return best
}

// fold makes spellings of one word alike.
func fold(s string) []rune {
	return []rune(strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(s)))
}

// distance counts the typing mistakes between a and b: a letter too many, too
// few, another one, or two swapped.
func distance(a, b []rune) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j, y := range b {
			cost := 1
			if x == y {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x == b[j-1] && a[i-1] == y {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
