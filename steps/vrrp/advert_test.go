package vrrp

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	one = netip.MustParseAddr("10.0.0.1")
	two = netip.MustParseAddr("10.0.0.2")
	vip = netip.MustParseAddr("10.0.0.100")
)

func TestAnAdvertisementReadsAsItWasWritten(t *testing.T) {
	for _, a := range []Advert{
		{Version: 3, VRID: 51, Priority: 254, Interval: 200 * ms, Addresses: []netip.Addr{vip}},
		{Version: 3, VRID: 255, Priority: 0, Interval: time.Second},
		{Version: 3, VRID: 1, Priority: 100, Interval: 40950 * ms, Addresses: []netip.Addr{netip.MustParseAddr("fe80::1"), netip.MustParseAddr("2001:db8::5")}},
		{Version: 2, VRID: 7, Priority: 1, Interval: 3 * time.Second, Auth: 1, Addresses: []netip.Addr{vip, two}},
	} {
		b := a.Bytes(one, two)
		got, err := Parse(b)
		if err != nil || got.Version != a.Version || got.VRID != a.VRID || got.Priority != a.Priority || got.Interval != a.Interval ||
			got.Auth != a.Auth || !slices.Equal(got.Addresses, a.Addresses) {
			t.Errorf("%+v: %+v, %v", a, got, err)
		}
		if !Checked(b, one, two) {
			t.Errorf("%+v: the checksum is not its own", a)
		}
		for i := range b {
			wrong := bytes.Clone(b)
			wrong[i] ^= 0x10
			if Checked(wrong, one, two) {
				t.Errorf("%+v: a flipped bit in byte %d is not seen", a, i)
			}
		}
	}
}

// The packet was captured from keepalived 2.2.7: from 10.9.0.2 to 10.9.0.1, VRID 51,
// priority 253, every 200 ms, for 10.9.0.100.
func TestParseReadsKeepalivedsOwn(t *testing.T) {
	const captured = "3133fd010014b2b80a090064"
	src, dst := netip.MustParseAddr("10.9.0.2"), netip.MustParseAddr("10.9.0.1")
	want := Advert{Version: 3, VRID: 51, Priority: 253, Interval: 200 * ms, Addresses: []netip.Addr{netip.MustParseAddr("10.9.0.100")}}
	if got := hex.EncodeToString(want.Bytes(src, dst)); got != captured {
		t.Errorf("%s, want %s", got, captured)
	}
	b, _ := hex.DecodeString(captured)
	if got, err := Parse(b); err != nil || got.Priority != 253 || got.VRID != 51 || got.Interval != want.Interval || !Checked(b, src, dst) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseRefusesWhatIsNoAdvertisement(t *testing.T) {
	for _, c := range []struct{ hex, cause string }{
		{"", "0 bytes"},
		{"3133fe", "3 bytes"},
		{"3233fe0100140000" + "0a000064", "type"},
		{"4133fe0100140000" + "0a000064", "version"},
		{"3100fe0100140000" + "0a000064", "VRID"},
		{"3133fe0200140000" + "0a000064", "promises 2 addresses"},
		{"3133feff00140000", "promises 255"},
	} {
		b, _ := hex.DecodeString(c.hex)
		if _, err := Parse(b); err == nil || !strings.Contains(err.Error(), c.cause) {
			t.Errorf("%s: %v, want its %s", c.hex, err, c.cause)
		}
	}
}

func TestATrailerIsLeftOut(t *testing.T) {
	b := Advert{Version: 3, VRID: 51, Priority: 254, Interval: time.Second, Addresses: []netip.Addr{vip}}.Bytes(one, two)
	got, err := Parse(append(b, make([]byte, 40)...))
	if err != nil || !slices.Equal(got.Addresses, []netip.Addr{vip}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0x31, 51, 254, 1, 0, 20, 0, 0, 10, 0, 0, 100})
	f.Add([]byte{0x21, 51, 100, 1, 1, 1, 0, 0, 10, 0, 0, 100, '1', '1', '1', '1', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(a.Bytes(one, two))
		if err != nil || again.VRID != a.VRID || again.Priority != a.Priority || again.Interval != a.Interval || !slices.Equal(again.Addresses, a.Addresses) {
			t.Errorf("%+v became %+v, %v", a, again, err)
		}
	})
}
