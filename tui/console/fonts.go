package console

// Glyphs are the characters beside ASCII that every font a Linux console may
// have been given shows, of those that are of use for drawing a page. They were
// taken from the Unicode tables of the fonts themselves and are the intersection
// of:
//
//   - the kernel's own VGA font: drivers/tty/vt/cp437.uni
//   - eurlatgr (the Red Hat family since kbd 2.0): data/consolefonts/README.eurlatgr.mappings of kbd
//   - latarcyrheb-sun16 (the Red Hat family before, Kylin and openEuler): console-data 1.12
//   - Lat15-Fixed16, Lat15-VGA16, Lat15-Terminus16 and -Bold16, Uni2-Fixed16,
//     Uni2-VGA16, Uni2-Terminus16 (the Debian family): console-setup-linux 1.221
//
// Arrows, check marks, dashes, the ellipsis, the round marks ● and ○ and the half
// blocks are missing from at least one of them.
const Glyphs = "─│┌┐└┘├┤┬┴┼█░▒×•·±°µ«»§¶"
