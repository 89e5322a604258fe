package mirrors

import (
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/token"

	"goxin/assets/lang"
)

// judge turns the file's form into a catalogue and gathers what is wrong in it.
type judge struct {
	fail     func(at *token.Token, en, zh string, args ...any) *lang.Error
	problems []error
}

func (j *judge) bad(at *token.Token, en, zh string, args ...any) {
	j.problems = append(j.problems, j.fail(at, en, zh, args...))
}

func (j *judge) catalogue(f file) *Catalogue {
	c := &Catalogue{}
	seen := map[string]bool{}
	for _, p := range f.Products {
		q := j.product(p)
		key := q.ID + " " + strings.Join(q.Versions, " ") + " " + strings.Join(q.Archs, " ")
		if seen[key] {
			j.bad(p.ID.at, "%s of the same versions and architectures is here twice", "产品 %s 在相同版本与架构下重复出现", q.ID)
		}
		seen[key] = true
		c.Products = append(c.Products, q)
	}
	if len(c.Products) == 0 {
		j.bad(nil, "no products", "没有 products")
	}
	return c
}

func (j *judge) product(p product) Product {
	q := Product{
		ID: j.scalar(p.ID), Versions: j.patterns(p.Versions), Archs: j.scalars(p.Archs), Vendor: j.scalars(p.Vendor),
		Trees: j.scalars(p.Trees), Official: j.scalar(p.Official), HTTP1: p.HTTP1, Gated: p.Gated, Source: j.scalar(p.Source),
	}
	if q.ID == "" {
		j.bad(p.ID.at, "a product has no id", "有产品缺少 id")
	}
	for i, v := range q.Vendor {
		if strings.Contains(v, "://") || !strings.HasSuffix(v, "/") || strings.ContainsAny(v, " \t$") {
			j.bad(p.Vendor[i].at, "%q is no prefix: a host and a path without a scheme, with / at its end", "%q 不是合法前缀：应为不含协议的主机与路径，以 / 结尾", v)
		}
	}
	switch {
	case q.Official == "" && len(q.Mirrors)+len(p.Mirrors) == 0:
		j.bad(p.ID.at, "%s has neither an official site nor mirrors", "产品 %s 既没有 official，也没有 mirrors", q.ID)
	case q.Official != "" && len(q.Vendor) == 0:
		j.bad(p.Official.at, "%s has an official site but no vendor prefixes", "产品 %s 有 official，但没有 vendor 前缀", q.ID)
	case q.Official != "":
		j.url(p.Official)
	}
	ids := map[string]bool{"official": true, "present": true, "fastest": true, "keep": true} // these mean something else
	for _, m := range p.Mirrors {
		mirror := Mirror{ID: j.scalar(m.ID), Name: lang.T(j.scalar(m.Name.EN), j.scalar(m.Name.ZH)), URL: j.scalar(m.URL), HTTP1: m.HTTP1}
		switch {
		case mirror.ID == "" || strings.Trim(mirror.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			j.bad(m.ID.at, "%q is no id of a mirror: small letters, digits and -", "%q 不是合法的镜像 id：只用小写字母、数字和 -", mirror.ID)
		case ids[mirror.ID]:
			j.bad(m.ID.at, "the mirror %s is here twice, or the name means something else", "镜像 %s 重复出现，或该名称另有含义", mirror.ID)
		}
		ids[mirror.ID] = true
		if mirror.Name.EN == "" || mirror.Name.ZH == "" {
			j.bad(m.ID.at, "the mirror %s needs a name in both languages: name: {en: …, zh: …}", "镜像 %s 需要中英文名称：name: {en: …, zh: …}", mirror.ID)
		}
		j.url(m.URL)
		q.Mirrors = append(q.Mirrors, mirror)
	}
	for _, k := range p.Keys {
		q.Keys = append(q.Keys, j.key(k))
	}
	for _, r := range p.Repos {
		q.Repos = append(q.Repos, j.repo(r))
	}
	return q
}

func (j *judge) key(k key) Key {
	out := Key{Path: j.scalar(k.Path), Fingerprint: strings.ToUpper(strings.ReplaceAll(j.scalar(k.Fingerprint), " ", ""))}
	if out.Path != "" && !path.IsAbs(out.Path) {
		j.bad(k.Path.at, "%q is no absolute path", "%q 不是绝对路径", out.Path)
	}
	if f := out.Fingerprint; f != "" && (len(f) != 40 || strings.Trim(f, "0123456789ABCDEF") != "") {
		j.bad(k.Fingerprint.at, "%q is no fingerprint: 40 hexadecimal digits", "%q 不是合法指纹：应为 40 位十六进制数", f)
	}
	if out == (Key{}) {
		j.bad(k.Path.at, "a key has neither path nor fingerprint", "有密钥既没有 path，也没有 fingerprint")
	}
	return out
}

func (j *judge) repo(r repo) Repo {
	out := Repo{Versions: j.patterns(r.Versions), ID: j.scalar(r.ID), Name: j.scalar(r.Name), Path: j.scalar(r.Path), Suite: j.scalar(r.Suite), Components: j.scalars(r.Components)}
	if out.ID == "" || out.Name == "" || out.Path == "" || strings.ContainsAny(out.ID+out.Path+out.Suite, " \t\n[]#\"") || strings.Contains(out.Name, "\n") {
		j.bad(r.ID.at, "a repository needs id, name and path, without blanks in id and path", "软件仓库需要 id、name 和 path，且 id 与 path 中不能有空白")
	}
	if strings.HasPrefix(out.Path, "/") || slices.Contains(strings.Split(out.Path, "/"), "..") {
		j.bad(r.Path.at, "%q is no path below a site", "%q 不是站点之下的路径", out.Path)
	}
	if (out.Suite == "") != (len(out.Components) == 0) {
		j.bad(r.ID.at, "%s needs both a suite and components, or neither", "%s 的 suite 与 components 要么都写，要么都不写", out.ID)
	}
	return out
}

func (j *judge) scalar(t text) string {
	if t.bad {
		j.bad(t.at, "a text is expected here", "此处应为文本")
	}
	if strings.ContainsFunc(t.s, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		j.bad(t.at, "a control character is in this text", "文本中含有控制字符")
	}
	return t.s
}

func (j *judge) scalars(list []text) []string {
	var out []string
	for _, t := range list {
		out = append(out, j.scalar(t))
	}
	return out
}

func (j *judge) patterns(list []text) []string {
	out := j.scalars(list)
	for i, p := range out {
		if _, err := path.Match(p, ""); err != nil {
			j.bad(list[i].at, "%q is no pattern", "%q 不是合法的匹配模式", p)
		}
	}
	return out
}

// url wants a prefix that another can take the place of.
func (j *judge) url(t text) {
	rest, web := strings.CutPrefix(t.s, "http://")
	if !web {
		rest, web = strings.CutPrefix(t.s, "https://")
	}
	host, _, _ := strings.Cut(rest, "/")
	if !web || host == "" || !strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, " \t\n\"'$?#<>[]@,;\\") {
		j.bad(t.at, "%q is no prefix: http:// or https://, a host, and / at its end", "%q 不是合法前缀：应以 http:// 或 https:// 开头，含主机名，并以 / 结尾", t.s)
	}
}
