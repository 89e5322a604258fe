// Package verify is the evidence about a file or tree: which OpenPGP key signed it,
// when, and how far that can be relied on; what Go's transparency log records of it;
// and what each of that rests on. Keys are only those it is given: it asks no key
// server, and an unknown key is said to be unknown, never taken as good.
//
// Of the log (Prove, Proof.H1): a record counts when the log's key signed a tree that
// it is provably in, and when it has exactly one line of the toolchain that was asked
// about. A tree head that contradicts one that was seen before is an error with both
// heads in it, never a warning. Nothing is taken on a server's word.
//
// Of OpenPGP the rules, which are stricter than gpg's and rpm's where those are lax:
//   - A key is judged at the time the signature was made, so a key that expired
//     since is the normal case of an old release; a revoked one is refused unless
//     its owner said it was merely superseded or retired after the signature.
//   - Subkeys count when the primary bound them, and are reported as the primary.
//   - MD5, RIPEMD-160, DSA, ElGamal, secp256k1 and RSA below 2047 bits are refused;
//     SHA-1 too, but for the headers of RPM packages: old distributions have
//     nothing else, so there it is good, and Weak.
//   - Version 3 signatures count for RPM headers only (obs-sign and rpm before 4.14
//     make them); they are RSA and carry their own time.
//   - A signature from the future is refused: the clock is wrong here or there.
//   - Of several signatures one good one by a known key is enough; what became of
//     the others is in the evidence.
//   - For releases (Release) it is not: there every signature must be good, of type
//     binary, by a pinned key, and there must be nothing else in the file. A clock that
//     is behind the day these rules were written is known to be wrong, and not asked.
package verify

// Limits on what is read, in bytes. The largest InRelease known has 300 KB; a
// detached signature is far below 64 KiB; kernel packages have headers of 3 MB.
const (
	MaxClearsigned = 4 << 20
	MaxSignature   = 64 << 10
	MaxKeys        = 4 << 20
	MaxRPMHeader   = 16 << 20
)
