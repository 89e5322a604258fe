package origin

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"

	"goxin/assets/keys"
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// maxPlain bounds what a signed archive may unpack to, in bytes: linux-6.6.tar has 1.4 GB.
const maxPlain = 16 << 30

// File says what a file is: an archive of Go by its content, anything else by its
// signature. Its SHA-256 is always told.
func File(ctx context.Context, m machine.Machine, file string, o Options) (*Finding, error) {
	fail := func(err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return lang.Errorf(err, "cannot verify %s", "无法验证 %s", file)
	}
	f := &Finding{Path: path.Clean(file), What: Other}
	s, err := o.signature(m, f.Path)
	if err != nil {
		return nil, fail(err)
	}
	ring, err := o.ring()
	if err != nil {
		return nil, fail(err)
	}
	if err := f.read(ctx, m, &o, ring, s); err != nil {
		return nil, fail(err)
	}
	if f.Verdict == Refused { // it cannot be unpacked: nothing that speaks for it counts
		return f, nil
	}
	if f.What == GoArchive || f.What == GoModule {
		if err := f.judge(ctx, &o, nil, new(kept)); err != nil {
			return nil, fail(err)
		}
	}
	f.digest(&o)
	f.sum(s)
	return f, nil
}

// signed is a detached signature and what it is of.
type signed struct {
	name       string
	sig        []byte
	raw, plain bool // of the file as it is; of what it unpacks to. Both: either may be
}

// endings are what detached signatures are called by.
var endings = []string{".asc", ".sig", ".sign"}

// signature reads the signature that was named, or one that lies beside the file.
func (o *Options) signature(m machine.Machine, file string) (*signed, error) {
	inner := strings.TrimSuffix(strings.TrimSuffix(file, ".xz"), ".gz")
	if o.Sig != "" {
		sig, err := m.ReadFile(o.Sig)
		if err != nil {
			return nil, lang.Errorf(err, "cannot read the signature %s", "无法读取签名 %s", o.Sig)
		}
		s := &signed{name: o.Sig, sig: sig, raw: true, plain: inner != file}
		for _, e := range endings {
			switch strings.TrimSuffix(path.Base(o.Sig), e) {
			case path.Base(file):
				s.plain = false
			case path.Base(inner):
				s.raw = false
			}
		}
		return s, nil
	}
	for _, of := range []string{file, inner} {
		for _, e := range endings {
			sig, err := m.ReadFile(of + e)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, lang.Errorf(err, "cannot read the signature %s", "无法读取签名 %s", of+e)
			}
			return &signed{name: of + e, sig: sig, raw: of == file, plain: of != file}, nil
		}
	}
	return nil, nil
}

// ring is the keys that may sign.
func (o *Options) ring() (verify.Keyring, error) {
	if len(o.Keys) > 0 {
		return verify.ReadKeys(o.Keys...)
	}
	return verify.ReadKeys(keys.Google())
}

// policy is what is asked of a signature of f.
func (o *Options) policy(f *Finding) verify.Policy {
	p := verify.Policy{Now: o.Now}
	if len(o.Keys) == 0 {
		p.Fingerprints = []string{verify.GoogleKey}
	}
	if t, ok := called(path.Base(f.Path)); ok && o.Released != nil {
		p.Released = o.Released(t.Version)
	}
	return p
}

// read reads the file once, and once more unpacked where a signature may be of that.
func (f *Finding) read(ctx context.Context, m machine.Machine, o *Options, ring verify.Keyring, s *signed) error {
	var beside *verify.Beside
	var bad error
	if s != nil {
		beside, bad = ring.Beside(s.sig, o.policy(f))
	}
	var raw io.Writer
	if bad == nil && s != nil && s.raw {
		raw = beside
	}
	o.say("reading %s", "读取 %s", f.Path)
	if err := f.hash(ctx, m, raw); err != nil {
		return err
	}
	if s == nil {
		return nil
	}
	if bad != nil {
		f.reject(s, bad)
		return nil
	}
	var ev []verify.Evidence
	var err error
	if s.raw {
		ev, err = beside.Evidence()
	}
	if s.plain && (!s.raw || err != nil) {
		again, _ := ring.Beside(s.sig, o.policy(f)) // it was read before
		o.say("reading what is packed in %s", "读取 %s 解压后的内容", f.Path)
		var damaged *damagedError
		if err := plain(ctx, m, f.Path, again); errors.As(err, &damaged) {
			f.reject(nil, err)
			return nil
		} else if err != nil {
			return err
		}
		if inner, failed := again.Evidence(); !s.raw || failed == nil {
			ev, err = inner, failed
			for i := range ev {
				if ev[i].Verdict == verify.Good && ev[i].Note.Empty() {
					ev[i].Note = lang.T("of the uncompressed archive", "针对解压后的归档")
				}
			}
		}
	}
	f.Evidence = append(f.Evidence, ev...)
	var unknown *verify.UnknownKeyError
	if err != nil && !errors.As(err, &unknown) {
		f.reject(nil, err)
	}
	return nil
}

// reject ends with what is wrong with a signature.
func (f *Finding) reject(s *signed, err error) {
	if s != nil {
		err = lang.Errorf(err, "%s", "%s", s.name)
	}
	f.end(Refused, lang.F("%s", "%s", err))
}

// hash reads the file as it is.
func (f *Finding) hash(ctx context.Context, m machine.Machine, also io.Writer) error {
	r, err := open(ctx, m, f.Path)
	if err != nil {
		return err
	}
	defer r.Close()
	b := bufio.NewReaderSize(r, sniffBytes)
	start, err := b.Peek(sniffBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	sum := sha256.New()
	var to io.Writer = sum
	if also != nil {
		to = io.MultiWriter(sum, also)
	}
	var o unpack.Options
	f.What, o = sniff(start)
	tee := io.TeeReader(b, to)
	if f.What != Other {
		if err := f.archive(ctx, tee, o); err != nil {
			return err
		}
	}
	// The rest, where unpacking stopped.
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, tee, make([]byte, 256<<10)); err != nil {
		return err
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// damagedError is a file that cannot be unpacked, for the signature of what is in it.
type damagedError struct{ cause error }

func (e *damagedError) Error() string { return e.Text().EN }

// Text is the error for people.
func (e *damagedError) Text() lang.Text {
	return lang.F("its signature is of what it unpacks to, and it does not unpack: %s", "签名针对解压后的内容，而文件无法解压：%s", e.cause)
}

// plain writes what a file unpacks to.
func plain(ctx context.Context, m machine.Machine, file string, to io.Writer) error {
	r, err := open(ctx, m, file)
	if err != nil {
		return err
	}
	defer r.Close()
	b := bufio.NewReaderSize(r, 256<<10)
	magic, _ := b.Peek(len(xzMagic))
	from := newXZ(b)
	if isGzip(magic) {
		from, err = gzip.NewReader(b)
	}
	if err == nil {
		var n int64
		n, err = io.CopyBuffer(struct{ io.Writer }{to}, io.LimitReader(from, maxPlain+1), make([]byte, 256<<10))
		if err == nil && n > maxPlain {
			err = lang.Errorf(nil, "it has more than %d bytes", "超过 %d 字节", int64(maxPlain))
		}
	}
	if r.err != nil { // the file could not be read, whatever the unpacking makes of it
		return r.err
	}
	if err != nil {
		return &damagedError{err}
	}
	return nil
}

// open opens a regular file whose reads end when ctx does.
func open(ctx context.Context, m machine.Machine, name string) (*untilDone, error) {
	if err := regular(m, name); err != nil {
		return nil, err
	}
	r, err := m.Open(name)
	if err != nil {
		return nil, err
	}
	return &untilDone{ctx: ctx, ReadCloser: r}, nil
}

type untilDone struct {
	ctx context.Context
	io.ReadCloser
	err error // of reading, but for the end
}

func (u *untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		u.err = context.Cause(u.ctx)
		return 0, u.err
	}
	n, err := u.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
	}
	return n, err
}

// digest compares the SHA-256 with the one that is known for a file of this name.
func (f *Finding) digest(o *Options) {
	if o.Digest == nil {
		return
	}
	want, from := o.Digest(path.Base(f.Path))
	switch {
	case want == "":
	case strings.EqualFold(want, f.SHA256):
		f.Evidence = append(f.Evidence, verify.Evidence{Kind: verify.Digest, Verdict: verify.Good, Note: lang.Same("sha256 " + f.SHA256), RestsOn: from})
	default:
		f.Evidence = append(f.Evidence, verify.Evidence{
			Kind: verify.Digest, Verdict: verify.Bad,
			Note: lang.F("sha256 should be %s", "sha256 应为 %s", want), RestsOn: from,
		})
	}
}

// sum is the verdict over all evidence, after judge, which alone says whether the log
// speaks for the files: its record is evidence of what they should be. Files that the
// log proves may be packed anew: then another digest speaks of the packing only. A
// signature that does not hold was refused before.
func (f *Finding) sum(s *signed) {
	if f.Verdict == Except || f.Verdict == Overlaid || f.Verdict == Vendor || f.Verdict == Refused {
		return
	}
	logged := f.Verdict == Authentic
	good, bad := false, false
	for _, e := range f.Evidence {
		good = good || e.Verdict == verify.Good && e.Kind != verify.Log
		bad = bad || e.Verdict == verify.Bad && e.Kind == verify.Digest
	}
	switch {
	case logged && bad:
		f.note(lang.T("the files are the release's, but packed anew: the archive is not the one that was published", "文件与发行版一致，但经过重新打包：并非官方发布的那个归档"))
	case logged, good && !bad:
		f.end(Authentic, lang.Text{})
	case bad: // a key that is trusted here may sign anything, also under this name
		f.end(Refused, lang.T("it has another SHA-256 than the file of this name should have", "其 SHA-256 与该名称的文件应有的不同"))
	case f.Verdict != "":
	case s == nil:
		f.end(Unproved, lang.T("there is no signature beside it (.asc, .sig, .sign)", "旁边没有签名文件（.asc、.sig、.sign）"))
	default:
		f.end(Unproved, lang.T("none of the keys at hand signed it", "签名密钥不在可用的密钥之中"))
	}
}
