package password

// ReadList reads the list as the first Check does.
func ReadList() List { return readList() }

// List is for counting.
type List = list

// Len returns how many passwords are on the list.
func (l list) Len() int { return len(l.hashes) }
