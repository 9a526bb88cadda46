package directory

// Kept returns how many practices' names are in memory.
func (dir *Directory) Kept() int {
	dir.mu.Lock()
	defer dir.mu.Unlock()
	return len(dir.of)
}
