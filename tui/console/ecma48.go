package console

// ecma48 follows a byte stream by the standard (ECMA-48 5.4, 8.3): it knows of
// every byte whether it is text or belongs to a control function, whoever
// understands that. C1 controls as single bytes are not looked for: the bytes
// are taken for UTF-8.
type ecma48 struct {
	state int
	seq   []byte
}

const (
	inText   = iota
	inEscape // ESC, intermediates
	inCSI
	inString      // OSC, DCS, APC, PM, SOS: until ST, or BEL
	inStringAfter // an ESC within a string
)

// put takes the next byte. inside reports that it belongs to a control function;
// whole is that function when this byte ends it.
func (p *ecma48) put(b byte) (inside bool, whole []byte) {
	switch {
	case b == 0x18 || b == 0x1a: // CAN, SUB
		p.state = inText
		return true, nil
	case b == 0x1b:
		if p.state == inString {
			p.state = inStringAfter
			p.seq = append(p.seq, b)
			return true, nil
		}
		p.state, p.seq = inEscape, append(p.seq[:0], b)
		return true, nil
	case p.state == inText:
		return false, nil
	case b < 0x20 && p.state != inString: // a control character works in the middle of a sequence
		return true, nil
	}
	p.seq = append(p.seq, b)
	end := false
	switch p.state {
	case inEscape:
		switch {
		case len(p.seq) == 2 && b == '[':
			p.state = inCSI
		case len(p.seq) == 2 && (b == ']' || b == 'P' || b == '_' || b == '^' || b == 'X'):
			p.state = inString
		default:
			end = b >= 0x30
		}
	case inCSI:
		end = b >= 0x40
	case inString:
		end = b == 0x07
	case inStringAfter:
		end = b == '\\'
		if !end {
			p.state = inString
		}
	}
	if end {
		p.state = inText
		return true, p.seq
	}
	return true, nil
}
