package verify

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"goxin/assets/lang"
)

// LogKey is the key with which Go's checksum database signs the head of its log, as
// the go command has it (cmd/go/internal/modfetch/key.go).
const LogKey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

// Limits on what a log answers. A record of a toolchain has 200 bytes, a signed head
// 190; a tile is 256 hashes at most.
const (
	maxLookup = 64 << 10
	maxHead   = 16 << 10
	tileLevel = 8
)

// Get asks a checksum database for a path such as "/lookup/M@V", "/tile/8/0/001" or
// "/latest". That there is no such thing (HTTP 404, 410) is fs.ErrNotExist; a body of
// more than a megabyte need not be read.
type Get func(ctx context.Context, path string) ([]byte, error)

// NotInLogError says that the log has no record of a toolchain.
type NotInLogError struct {
	Toolchain Toolchain
	Cause     error
}

// Text is the error for people.
func (e *NotInLogError) Text() lang.Text {
	return lang.F("Go's transparency log has no record of %s", "Go 的透明日志中没有 %s 的记录", e.Toolchain)
}

func (e *NotInLogError) Error() string { return e.Text().EN }

// Unwrap gives what the database said.
func (e *NotInLogError) Unwrap() error { return e.Cause }

// NoLineError says that a record does not tell the hash of the toolchain it was asked
// about. To take that for success was CVE-2026-42501.
type NoLineError struct {
	Toolchain Toolchain
	Lines     int // that tell its hash: none, or too many
}

// Text is the error for people.
func (e *NoLineError) Text() lang.Text {
	if e.Lines > 1 {
		return lang.F("the log's record tells %[2]d hashes of %[1]s", "日志记录中 %s 有 %d 个哈希", e.Toolchain, e.Lines)
	}
	return lang.F("the log's record does not tell the hash of %s", "日志记录中没有 %s 的哈希", e.Toolchain)
}

func (e *NoLineError) Error() string { return e.Text().EN }

// ForgedError says that what came from a log's server is not what the log signed.
type ForgedError struct{ Why lang.Text }

// Text is the error for people.
func (e *ForgedError) Text() lang.Text {
	return lang.F("this does not come from Go's transparency log: %s", "这并非来自 Go 的透明日志：%s", e.Why)
}

func (e *ForgedError) Error() string { return e.Text().EN }

func forged(en, zh string, args ...any) error { return &ForgedError{lang.F(en, zh, args...)} }

// ForkError says that the log showed two histories, each with its signature: the
// later one does not contain the earlier one. The two heads are the proof of it.
type ForkError struct{ Older, Newer []byte }

// Text is the error for people.
func (e *ForkError) Text() lang.Text {
	return lang.F("the transparency log contradicts what it signed before: it shows this machine another history. Keep both tree heads, they prove it:\n%s\n%s",
		"透明日志与其先前签名的内容矛盾：它向本机展示了另一份历史。请保留以下两个树头作为证据：\n%s\n%s", e.Older, e.Newer)
}

func (e *ForkError) Error() string { return e.Text().EN }

// Prove asks the log for the record of t and for the proof that the record is in it.
// known is the newest signed tree head that was seen before (nil: none); what the log
// signs now must contain that history, or be contained in it, else a *ForkError.
// newest is the newer one of the two heads: what to keep. Other errors are those of
// get, *NotInLogError, *ForgedError, *NoLineError.
func Prove(ctx context.Context, get Get, key string, t Toolchain, known []byte) (p *Proof, newest []byte, err error) {
	if err := t.Check(); err != nil {
		return nil, nil, err
	}
	answer, err := get(ctx, "/lookup/"+ToolchainModule+"@"+t.ModuleVersion())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &NotInLogError{t, err}
	}
	if err != nil {
		return nil, nil, err
	}
	if len(answer) > maxLookup {
		return nil, nil, forged("the record has more than %d bytes", "记录超过 %d 字节", maxLookup)
	}
	id, text, head, err := tlog.ParseRecord(answer)
	if err != nil {
		return nil, nil, forged("the answer is no record", "应答不是一条记录")
	}
	p = &Proof{id: id, record: text, head: head}
	tree, err := openHead(head, key)
	if err != nil {
		return nil, nil, err
	}
	if id < 0 || id >= tree.N {
		return nil, nil, forged("record %d is in no tree of %d", "第 %d 条记录不在 %d 条记录的树中", id, tree.N)
	}
	// The line is looked for before anything else is asked for: a record of something
	// else may well be in the log.
	if _, err := p.line(t); err != nil {
		return nil, nil, err
	}
	tiles := &tiles{ctx: ctx, get: get}
	if p.hashes, err = tlog.ProveRecord(tree.N, id, tlog.TileHashReader(tree, tiles)); err != nil {
		return nil, nil, tiles.told(err)
	}
	if _, _, err := p.H1(key, t); err != nil {
		return nil, nil, err
	}
	newest, err = consistent(tiles, key, known, head)
	return p, newest, err
}

// consistent gives the newer one of two signed heads, of which that one must contain
// what the older one signed.
func consistent(tiles *tiles, key string, known, head []byte) ([]byte, error) {
	if known == nil {
		return head, nil
	}
	older, err := openHead(known, key)
	if err != nil {
		return nil, lang.Errorf(err, "cannot use the tree head that was kept", "无法使用先前保存的树头")
	}
	newer, err := openHead(head, key)
	if err != nil {
		return nil, err
	}
	olderHead, newerHead := known, head
	if older.N > newer.N {
		older, newer, olderHead, newerHead = newer, older, head, known
	}
	was := newer.Hash // of the newer tree's first older.N records
	if older.N < newer.N {
		if was, err = tlog.TreeHash(older.N, tlog.TileHashReader(newer, tiles)); err != nil {
			return nil, tiles.told(err)
		}
	}
	if was != older.Hash {
		return nil, &ForkError{Older: olderHead, Newer: newerHead}
	}
	return newerHead, nil
}

// Newest is the head with the most records of those that key signed; nil if none is.
func Newest(key string, heads ...[]byte) (newest []byte) {
	most := int64(-1)
	for _, h := range heads {
		if tree, err := openHead(h, key); err == nil && tree.N > most {
			newest, most = h, tree.N
		}
	}
	return newest
}

// openHead checks the signature of a tree head and reads it.
func openHead(head []byte, key string) (tlog.Tree, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(head) > maxHead {
		return tlog.Tree{}, forged("the tree head has more than %d bytes", "树头超过 %d 字节", maxHead)
	}
	n, err := note.Open(head, note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, forged("its tree head is not signed by %s", "其树头没有 %s 的签名", v.Name())
	}
	tree, err := tlog.ParseTree([]byte(n.Text))
	if err != nil {
		return tlog.Tree{}, forged("its tree head is none", "其树头格式错误")
	}
	return tree, nil
}

// tiles asks for the hashes of a log in pieces, several at a time, each once.
type tiles struct {
	ctx context.Context
	get Get

	mu   sync.Mutex
	have map[tlog.Tile][]byte
	err  error // of get, for it says more than what the tree makes of it
}

func (r *tiles) Height() int { return tileLevel }

func (r *tiles) SaveTiles(all []tlog.Tile, data [][]byte) {
	if r.have == nil {
		r.have = make(map[tlog.Tile][]byte)
	}
	for i, t := range all {
		r.have[t] = data[i]
	}
}

func (r *tiles) ReadTiles(all []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(all))
	var wait sync.WaitGroup
	few := make(chan struct{}, 4)
	for i, t := range all {
		if data[i] = r.have[t]; data[i] != nil {
			continue
		}
		wait.Go(func() {
			few <- struct{}{}
			defer func() { <-few }()
			b, err := r.tile(t)
			r.mu.Lock()
			defer r.mu.Unlock()
			if data[i] = b; err != nil && r.err == nil {
				r.err = err
			}
		})
	}
	wait.Wait()
	return data, r.err
}

// tile asks for one tile. One that was not full when the head was signed may be full
// by now, and then it is there in full only.
func (r *tiles) tile(t tlog.Tile) ([]byte, error) {
	b, err := r.get(r.ctx, "/"+t.Path())
	if full := 1 << tileLevel; errors.Is(err, fs.ErrNotExist) && t.W < full {
		whole := t
		whole.W = full
		if b, err = r.get(r.ctx, "/"+whole.Path()); err == nil {
			if len(b) != full*tlog.HashSize {
				return nil, forged("tile %s has %d bytes", "块 %s 有 %d 字节", whole.Path(), len(b))
			}
			b = b[:t.W*tlog.HashSize]
		}
	}
	if err == nil && len(b) != t.W*tlog.HashSize {
		err = forged("tile %s has %d bytes", "块 %s 有 %d 字节", t.Path(), len(b))
	}
	return b, err
}

// told is what went wrong with the tiles: nothing came, or something else than the
// head signs.
func (r *tiles) told(err error) error {
	if r.err != nil {
		return r.err
	}
	return forged("the hashes are not those of its tree head (%v)", "哈希与其树头不符（%v）", err)
}

// logName is the name in a log's key: "sum.golang.org".
func logName(key string) string { name, _, _ := strings.Cut(key, "+"); return name }

// logID is a key without its public part, for people: "sum.golang.org+033de0ae".
func logID(key string) string {
	parts := strings.SplitN(key, "+", 3)
	return strings.Join(parts[:min(2, len(parts))], "+")
}

func evidenceOfLog(key string, id, n int64, t Toolchain) Evidence {
	return Evidence{
		Kind: Log, Verdict: Good, Key: logID(key),
		Note: lang.F("record %d of %d: %s %s", "第 %d 条记录（共 %d 条）：%s %s", id, n, ToolchainModule, t.ModuleVersion()),
		RestsOn: lang.F("Go's transparency log %s, which shows everybody the same records: its signature, and the proof that this record is in it",
			"Go 的透明日志 %s（对所有人展示相同的记录）：日志的签名，以及该记录确在其中的证明", logName(key)),
	}
}
