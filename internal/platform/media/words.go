package media

import "strings"

// Words says in a word or two what a file of this type is, to people.
func (t Type) Words() string {
	switch t {
	case PDF:
		return "PDF"
	case Text:
		return "Text"
	case "text/html", "application/xhtml+xml":
		return "Web page"
	case "application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.oasis.opendocument.text", "text/rtf":
		return "Text document"
	case "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.oasis.opendocument.spreadsheet", "text/csv":
		return "Spreadsheet"
	case "application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "application/vnd.oasis.opendocument.presentation":
		return "Presentation"
	case "application/zip", "application/x-rar-compressed", "application/x-7z-compressed", "application/gzip", "application/x-tar":
		return "Compressed folder"
	}
	switch kind, _, _ := strings.Cut(string(t), "/"); kind {
	case "image":
		return "Picture"
	case "audio":
		return "Sound"
	case "video":
		return "Video"
	}
	return "File"
}

// Sound says whether a file is heard, and can be in a page.
func (t Type) Sound() bool { return strings.HasPrefix(string(t), "audio/") && t.Shown() }

// HEIC says whether a file is a photograph as an iPhone takes it.
func (t Type) HEIC() bool { return t == HEIC || t == HEIF }
