package toolchain

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/fetch"
	"goxin/steps/origin"
	"goxin/steps/race"
	"goxin/steps/stock"
	"goxin/steps/verify"
)

// Ask is whom the survey asks; tests take another.
type Ask struct {
	Catalogue func() (*golang.Catalogue, error)
	Key       string // of the checksum database
	Packages  stock.Ask
	// Network says whether there is any, without sending anything.
	Network func(ctx context.Context, m machine.Machine) (bool, error)
	// Get is a small file of at most limit bytes; one that is not there is
	// fs.ErrNotExist.
	Get func(ctx context.Context, m machine.Machine, url string, limit int64) ([]byte, error)
	// Prove asks the checksum database of key, by way of the proxies first.
	Prove func(ctx context.Context, m machine.Machine, proxies []string, key string, t verify.Toolchain, known []byte) (*verify.Proof, error)
	Race  func(ctx context.Context, m machine.Machine, all []race.Object, l race.Limits, say func([]race.Result)) (race.Report, error)
	// Tree and File say what is in a directory or a file.
	Tree func(ctx context.Context, m machine.Machine, dir string, o origin.Options) (*origin.Finding, error)
	File func(ctx context.Context, m machine.Machine, file string, o origin.Options) (*origin.Finding, error)
}

// Real asks over the machine's own network.
func Real() Ask {
	return Ask{
		Catalogue: golang.Load, Key: verify.LogKey, Packages: stock.Real(), Network: network,
		Get: get, Prove: prove, Race: race.Objects, Tree: origin.Tree, File: origin.File,
	}
}

func (s Step) asker() Ask {
	if s.ask != nil {
		return *s.ask
	}
	return Real()
}

func network(ctx context.Context, m machine.Machine) (bool, error) {
	c, err := m.Dial(ctx, "udp", "127.0.0.1:9") // nothing is sent by opening a socket
	if err == nil {
		return true, c.Close()
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return !errors.Is(err, machine.ErrNotRunning), nil
}

func get(ctx context.Context, m machine.Machine, url string, limit int64) ([]byte, error) {
	c := fetch.New(m, fetch.Options{FirstByte: firstByte})
	defer c.Close()
	resp, err := c.Get(ctx, url, fetch.Range{})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.Status {
	case 200:
	case 404, 410:
		return nil, fs.ErrNotExist
	default:
		return nil, lang.Errorf(nil, "HTTP status %d", "HTTP 状态码 %d", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = lang.Errorf(nil, "more than %d bytes", "超过 %d 字节", limit)
	}
	return b, err
}
