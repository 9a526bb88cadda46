package media

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is how many bytes a name may have, its end included.
const maxName = 200

// CleanName makes of a name somebody's device gave a name to show and to save a
// file of type t under: no folder, nothing invisible, nothing that turns the
// direction of writing, nothing a file system takes for something else, and an
// end that agrees with what the file is. A clean name stays as it is.
func CleanName(name string, t Type) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, ""))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = trim(norm.NFC.String(strings.Map(plain, name))) // what was dropped may have kept a mark from its letter
	stem, end := split(name, t)
	stem = shorten(trim(stem), maxName-len(end)) // first: what is left may be nothing, or a word that a system keeps for itself
	if stem == "" {
		stem = "file"
	}
	if reserved(stem) {
		stem = "_" + shorten(stem, maxName-len(end)-1)
	}
	return stem + end
}

// plain keeps, replaces (with a hyphen) or drops a character of a name.
func plain(r rune) rune {
	switch {
	case r == '\u200c' || r == '\u200d': // join letters of some scripts, and parts of emoji
		return r
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), r == utf8.RuneError:
		return -1
	case strings.ContainsRune(`<>:"|?*`, r):
		return '-'
	}
	return r
}

// trim takes away what must not begin or end a name: a dot hides it, or is lost.
func trim(s string) string { return strings.Trim(s, ". \u200c\u200d") }

// split parts a name into its stem and an end that agrees with t. An end that
// says something else gives way if it is known, and stays a part of the stem if
// it is only a word with a dot before it.
func split(name string, t Type) (stem, end string) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return name, t.Extension()
	}
	stem, had := name[:dot], strings.ToLower(name[dot:])
	switch agree := extensions(t); {
	case slices.Contains(agree, had), had == t.Extension():
		return stem, had
	case t == Unknown && short(had) && !known(had):
		return stem, had // whatever it is, it claims to be nothing that it is not
	case known(had) && trim(stem) != "":
		return split(trim(stem), t) // there may be another before it, which is right
	}
	return name, t.Extension()
}

// short says whether an end is one: a few letters and figures.
func short(end string) bool {
	return len(end) >= 2 && len(end) <= 9 && strings.IndexFunc(end[1:], func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) < 0
}

// known are ends that say what a file is, to people and to their computers.
func known(end string) bool {
	const all = " .jpg .jpeg .jpe .jfif .png .gif .webp .heic .heif .hif .avif .tif .tiff .bmp .svg .ico .psd" +
		" .pdf .doc .docx .docm .dot .dotm .xls .xlsx .xlsm .ppt .pptx .pptm .odt .ods .odp .rtf .txt .md .csv .html .htm .xhtml .mht .xml .json .pages .numbers .key" +
		" .mp3 .m4a .mp4 .m4v .mov .qt .avi .mkv .webm .weba .ogg .oga .opus .wav .flac .aac .wma .wmv .3gp" +
		" .zip .rar .7z .gz .tar .iso .img .dmg .jar .apk" +
		" .exe .com .scr .pif .bat .cmd .ps1 .vbs .vbe .js .jse .wsf .hta .msi .msp .cpl .dll .lnk .reg .sh .app .command .py .pl .php .url .desktop .swf "
	return strings.Contains(all, " "+end+" ")
}

// reserved are names that are devices to Windows.
func reserved(stem string) bool {
	first, _, _ := strings.Cut(strings.ToLower(stem), ".")
	first = strings.TrimSpace(first)
	switch first {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(first) == 4 && (strings.HasPrefix(first, "com") || strings.HasPrefix(first, "lpt")) && first[3] >= '0' && first[3] <= '9'
}

// shorten cuts a stem to so many bytes, between characters.
func shorten(stem string, most int) string {
	if len(stem) <= most {
		return stem
	}
	stem = stem[:most]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	for { // not before marks that were cut from their letter, nor at a joiner
		r, n := utf8.DecodeLastRuneInString(stem)
		if n == 0 || !unicode.Is(unicode.Mn, r) && r != '\u200d' {
			break
		}
		stem = stem[:len(stem)-n]
	}
	return trim(stem)
}
