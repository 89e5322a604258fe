// Package race finds the mirror that is really fastest and at the same time fresh,
// complete and signed. It measures what will be used: this release's and
// architecture's own index, and a real package from it; nothing counts that is not
// parsed, and a fast answer that is not the repository wins nothing.
//
// How it goes, all candidates at once and each over at most two connections:
//
//  1. Index: time to the first byte of repomd.xml or InRelease, its signature, its
//     age; then the first 48 KiB of its package list. Other targets' indexes are
//     asked for their first 2 KiB.
//  2. Sample: a package of this architecture that is some MiB, found in the list of
//     the freshest candidate with a good signature; its first 256 KiB everywhere.
//     RPM packages show their architecture and, where repomd.xml has no signature,
//     their own.
//  3. Final: the best few one after another, so that each has the line to itself,
//     4 MiB each; the rate is the median of windows no shorter than a round trip.
//
// Usable goes before fresh, fresh before quick, quick before near. Fresh is whoever
// is at most Fresh behind the newest: those compete on speed alone; whoever is
// further behind loses to them, however quick.
//
// The package writes nothing, chooses nothing for good and knows no vendor. It does
// not follow a candidate's own idea of what is newest unless that is signed, where
// anyone's is.
package race
