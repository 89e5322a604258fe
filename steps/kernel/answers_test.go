package kernel

import (
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps/engine"
)

func TestAnswersThatCannotBePlannedAreRefused(t *testing.T) {
	old := func(f *detect.Facts) {
		f.Kernel.Release = known("4.19.90")
		f.Memory.Total = known[uint64](8 * gib)
	}
	for name, c := range map[string]struct {
		values engine.Values
		says   string
		hint   string
	}{
		"no such profile":       {engine.Values{"profile": "desktop"}, "no such profile", "base, web"},
		"a key twice":           {engine.Values{"set": map[string]string{"net.core.somaxconn": "1", "net/core/somaxconn": "2"}}, "as well", "keep one"},
		"soft above hard":       {engine.Values{"nofile": int64(1000), "nofile_soft": int64(2000)}, "above nofile", "at most 1000"},
		"dangerous":             {engine.Values{"set": map[string]string{"kernel.core_pattern": "|/x"}}, "runs as root", ""},
		"swappiness before 5.8": {engine.Values{"set": map[string]string{"vm.swappiness": "150"}}, "at most 100", ""},
		"all memory in reserve": {engine.Values{"set": map[string]string{"vm.min_free_kbytes": "4194304"}}, "tenth of the memory", "at most 838860"},
		"huge pages of 512 MiB": {engine.Values{"set": map[string]string{"vm.nr_hugepages": "64"}}, "512 MiB", "at most 12"},
	} {
		t.Run(name, func(t *testing.T) {
			_, m, h := world{facts: old, files: systemdHost(map[string]string{"/proc/meminfo": "Hugepagesize:     524288 kB\n"}), params: usual(map[string]string{"vm.min_free_kbytes": "67584"})}.build(t)
			sv := surveyOf(t, m, h, c.values)
			items, err := Step{}.Ops(h, sv, c.values)
			if err == nil || items != nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%d ops, %v", len(items), err)
			}
			if !strings.Contains(lang.Hint(err, lang.EN), c.hint) {
				t.Errorf("hint %q", lang.Hint(err, lang.EN))
			}
			if lang.Message(err, lang.ZH) == err.Error() {
				t.Error("no Chinese")
			}
			if q := (Step{}).Questions(h, sv, c.values); len(q) < 4 {
				t.Errorf("with answers that are wrong only %d questions are asked", len(q))
			}
		})
	}
}

func TestFieldsAreTheAnswersFilesKeys(t *testing.T) {
	var keys []string
	for _, f := range (Step{}).Fields() {
		keys = append(keys, f.Key)
		for _, text := range []lang.Text{f.Title, f.Help} {
			if text.EN == "" || text.ZH == "" || text.EN == text.ZH {
				t.Errorf("%s: a text is not in both languages: %+v", f.Key, text)
			}
		}
		for _, o := range f.Options {
			if o.Title.EN == "" || o.Title.ZH == "" || o.Help.EN == "" || o.Help.ZH == "" {
				t.Errorf("%s: option %s lacks a text", f.Key, o.Value)
			}
		}
	}
	if got := strings.Join(keys, " "); got != "profile set nofile nofile_soft comment_conflicts" {
		t.Errorf("keys: %s", got)
	}
}

func TestTheConflictQuestionIsAskedOnlyWhereThereIsOne(t *testing.T) {
	asked := map[string]bool{}
	for _, w := range worlds() {
		_, m, h := w.build(t)
		for _, q := range (Step{}).Questions(h, surveyOf(t, m, h, w.values), w.values) {
			if q.Key == keyConflict {
				asked[w.name] = true
			}
		}
	}
	if !asked["kylin-v10-web"] || !asked["conflicts-left"] || asked["openeuler-24-base"] || asked["rivals"] {
		t.Errorf("asked in %v", asked)
	}
}
