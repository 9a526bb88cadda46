package parts

// Problem is one thing to put right: which field, and what to do about it.
type Problem struct {
	Name  string // of the field; "" when it is about the whole form
	Words string // "Use 15 characters or more"
}

// Problems are all of a form, in the order of the fields.
type Problems []Problem

// For is what is wrong with one field, or "".
func (ps Problems) For(name string) string {
	for _, p := range ps {
		if p.Name == name {
			return p.Words
		}
	}
	return ""
}

// FieldID is the id of the field by that name; "#" and this is where a link
// to the field leads.
func FieldID(name string) string { return "f-" + clean(name) }

// clean leaves in an id what needs no escaping anywhere.
func clean(s string) string {
	b := []byte(s)
	for i, c := range b {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
			b[i] = '-'
		}
	}
	return string(b)
}
