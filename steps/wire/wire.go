package wire

import (
	"net/netip"
	"time"

	"goxin/steps/vrrp"
)

// Found is who answers for an address, by an ARP probe (RFC 5227 §2.1.1): its JSON is
// the output of `goxin wire arp-probe`.
type Found struct {
	Address netip.Addr `json:"address"`
	// MACs are those of others that claim the address, "02:00:5e:10:00:01", sorted.
	MACs []string `json:"macs"`
	// Local says that the machine that asks has the address itself.
	Local bool `json:"local"`
}

// Free says whether nobody has the address.
func (f Found) Free() bool { return len(f.MACs) == 0 && !f.Local }

// Heard is what went over a segment within a time: a line of `goxin wire listen`. Of two
// lines the later one holds the earlier.
type Heard struct {
	For     time.Duration `json:"for"` // nanoseconds
	Routers []Router      `json:"routers"`
	Claims  []Claim       `json:"claims"`
	// Probed are those that answered for the address asked for, at the last asking.
	Probed *Found `json:"probed,omitempty"`
}

// Router is one that advertises: VRRP from one source for one virtual router.
type Router struct {
	Advert vrrp.Advert   `json:"advert"` // the last one
	From   netip.Addr    `json:"from"`
	To     netip.Addr    `json:"to"` // vrrp.Group, or a unicast peer
	MAC    string        `json:"mac"`
	Mine   bool          `json:"mine"` // sent by the machine that listened
	TTL    int           `json:"ttl"`  // 255 where no router came between
	Count  int           `json:"count"`
	Age    time.Duration `json:"age"` // since the last one
	// Goodbyes are those with priority 0: it gave the address up.
	Goodbyes int `json:"goodbyes,omitempty"`
}

// Claim is an address somebody says in ARP that he has.
type Claim struct {
	Address  netip.Addr    `json:"address"`
	MAC      string        `json:"mac"`
	Mine     bool          `json:"mine"`
	Announce int           `json:"announce"` // how often unasked, to all: a gratuitous ARP
	Count    int           `json:"count"`
	Age      time.Duration `json:"age"`
}

// Arrived is what came of a test of IP protocol 112 one way.
type Arrived struct {
	Sent     int `json:"sent"`
	Received int `json:"received"`
	TTL      int `json:"ttl,omitempty"` // of the last: 255 on one segment
}

// Passes says whether adverts would get there: most did.
func (a Arrived) Passes() bool { return a.Received > 0 && 2*a.Received > a.Sent }

// DirectTTL is what arrives has when no router was between: RFC 5798 §5.1.1.3.
const DirectTTL = 255

// Patience is how long a question may take from its first SYN to the last byte of its
// answer: one that takes longer is lost.
const Patience = 250 * time.Millisecond

// BatchEvery is how often an asker tells what came.
const BatchEvery = 100 * time.Millisecond

// ArpEvery is the least time between two askings for the address's owner.
const ArpEvery = 10 * time.Millisecond

// NodeHeader names the node that answered.
const NodeHeader = "X-Goxin-Node"

// Question is what an asker asks, and how often.
type Question struct {
	VIP       netip.Addr
	Port      int
	Path      string        // "/healthz"; "" is "/"
	Host      string        // the Host header; "" is the VIP
	Every     time.Duration // from 1 ms to 10 s
	Interface string        // where ARP is asked; "": not at all
	For       time.Duration // how long at most; 0 is ten minutes
}

// Batch is what came of the questions that were decided within BatchEvery, in the order
// they were asked. Times are microseconds of the asker's own steady clock, from when it
// began.
type Batch struct {
	N    int     `json:"n"`    // the number of the first one, from 0
	At   []int64 `json:"at"`   // when each was asked: its SYN
	Took []int64 `json:"took"` // until its answer was complete; -1: lost
	// Nodes are who said that they answered, Runs[i] times in a row; "" who said nothing
	// or did not answer.
	Nodes []string `json:"nodes,omitempty"`
	Runs  []int    `json:"runs,omitempty"`
	// Lost is how often for which reason, in the words of Why….
	Lost map[string]int `json:"lost,omitempty"`
	// Owners are the changes in who answers ARP for the address.
	Owners []Owners `json:"owners,omitempty"`
	// Late is the most that a question was asked after its time: by so much the asker
	// itself may have widened a gap. Microseconds.
	Late int64 `json:"late"`
	// Last says that the asker has ended.
	Last bool `json:"last,omitempty"`
}

// Owners are who answered one asking of ARP.
type Owners struct {
	At    int64    `json:"at"`
	MACs  []string `json:"macs,omitempty"`
	Local bool     `json:"local,omitempty"` // the asker's machine has the address itself
}

// Count is how many they are.
func (o Owners) Count() int {
	if o.Local {
		return len(o.MACs) + 1
	}
	return len(o.MACs)
}

// Why a question was lost.
const (
	WhyLate        = "late"        // no complete answer within Patience
	WhyRefused     = "refused"     // nobody listens on the port
	WhyReset       = "reset"       // the connection was cut off
	WhyUnreachable = "unreachable" // no way there: nobody answers ARP
	WhyStatus      = "status"      // an answer, and its status is not 2xx or 3xx
	WhyShort       = "short"       // half an answer, or none that is HTTP
	WhyHere        = "here"        // the asker's machine could not ask
)
