package mirror

import (
	"regexp"
	"strings"

	"goxin/assets/lang"
	"goxin/assets/mirrors"
	"goxin/steps/engine"
)

// Step is the mirror step. The zero value goes by the catalogue that goxin carries.
type Step struct {
	Catalogue func() (*mirrors.Catalogue, error) // another one in its place; nil: mirrors.Load
}

var (
	_ engine.Step     = Step{}
	_ engine.Surveyor = Step{}
	_ engine.Noter    = Step{}
	_ engine.Prover   = Step{}
	_ engine.Recaller = Step{}
)

// Field keys, as they stand in an answers file.
const (
	keySource    = "source"
	keyFallbacks = "fallbacks"
	keyCatalogue = "catalogue"
	keyGave      = "gave"
)

// What source may say beside a mirror of the catalogue or a URL.
const (
	sourceFastest  = "fastest"
	sourceKeep     = "keep"
	sourceOfficial = "official"
)

// ID is "mirror".
func (Step) ID() string { return "mirror" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Mirror", "软件源") }

// Fields are the keys under steps.mirror.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keySource, Kind: engine.Text, Default: sourceFastest, Check: checkSource,
			Title: lang.T("Where do packages come from?", "软件包从哪里获取？"),
			Help: lang.T("fastest compares again on every machine; official, keep (only read the package lists anew), a mirror of the catalogue, or a URL that stands for the vendor's site.",
				"fastest 表示在每台机器上重新比较；也可填 official（官方源）、keep（保持现有，仅刷新软件包列表）、目录中的镜像名，或代替官方站点的网址。"),
		},
		{
			Key: keyFallbacks, Kind: engine.Confirm, Default: true,
			Title: lang.T("Write the next best as fallbacks?", "把次优的源写作后备？"),
			Help: lang.T("Up to two, used when the first does not answer. Only where the package manager goes through them in order.",
				"最多两个，首选无响应时依次使用。仅在包管理器支持按序切换时写入。"),
		},
		{
			Key: keyCatalogue, Kind: engine.Text, Check: checkPath,
			Title: lang.T("The site's own catalogue of mirrors", "本单位自有的镜像目录文件"),
			Help: lang.T("A file on the machine; what it lists comes before what goxin knows, or replaces it.",
				"机器上的一个文件；其中的条目优先于 goxin 自带的，同名则替换。"),
		},
		{
			Key: keyGave, Kind: engine.Text,
			Title: lang.T("What fastest gave (a note; changes nothing)", "fastest 的结果（仅作记录，不影响任何改动）"),
		},
	}
}

var sourceID = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)

func checkSource(v string) error {
	if sourceID.MatchString(v) {
		return nil
	}
	rest, ok := strings.CutPrefix(v, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(v, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	if !ok || host == "" || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"'\<>|#@`, r) }) {
		return lang.Errorf(nil, "%q is neither fastest, official, keep, a mirror's name nor a URL", "%q 既不是 fastest、official、keep 或镜像名，也不是网址", v).
			WithHint("a URL begins with http:// or https:// and stands for the vendor's site: https://mirror.example.com/openeuler/", "网址以 http:// 或 https:// 开头，用来代替官方站点，例如 https://mirror.example.com/openeuler/")
	}
	return nil
}

func checkPath(v string) error {
	if !strings.HasPrefix(v, "/") || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' }) {
		return lang.Errorf(nil, "%q is not an absolute path", "%q 不是绝对路径", v).
			WithHint("begin with /, as in /root/mirrors.yaml", "请以 / 开头，例如 /root/mirrors.yaml")
	}
	return nil
}

// answers are the step's values with their defaults.
type answers struct {
	Source    string
	Fallbacks bool
	Catalogue string
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{v.Text(keySource, sourceFastest), v.Bool(keyFallbacks, true), v.Text(keyCatalogue, "")}
	if err := checkSource(a.Source); err != nil {
		return a, err
	}
	if a.isURL() && !strings.HasSuffix(a.Source, "/") {
		a.Source += "/"
	}
	if a.Catalogue != "" {
		return a, checkPath(a.Catalogue)
	}
	return a, nil
}

func (a answers) isURL() bool { return strings.Contains(a.Source, "://") }
