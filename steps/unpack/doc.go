// Package unpack reads archives of Go that nobody has vouched for yet, as they come in:
// it hashes the archive and every file in it, and writes the files into a
// machine.Stage, which whoever called commits when the evidence is complete or
// discards. Nothing of the archive is kept on disk, and little in memory.
//
// It refuses (UnsafeError) whatever does not belong into an archive of plain files
// below one directory: names that climb, that are absolute, that differ from another
// only by case or that hide something; links, devices and every other kind of entry;
// an archive that is larger than its limits allow, that ends early, that goes on behind
// its end, or whose parts contradict each other.
//
// It does not keep owners, times, extended attributes or setuid bits, makes no
// directory that holds no file, and judges nothing: whether these are the files of a
// release is for package verify to say.
package unpack
