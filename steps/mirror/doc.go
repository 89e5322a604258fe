// Package mirror is the step that chooses where packages come from: of the
// vendor's own repositories, the mirrors of the catalogue, what the machine uses
// now and what a person typed, the one that is really fastest and fresh, complete
// and signed. It edits only repositories the mirror answers for, and has the
// package manager try the result with a throw-away cache before it is written.
//
// It refuses to switch signatures off, to move a repository whose signatures are
// off to a mirror, to touch repositories of anybody but the vendor, and to write a
// mirror that was not seen to serve them.
package mirror
