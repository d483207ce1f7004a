package tasks

// LoadCounts counts lines by what happened to them. Lines is the sum of the
// counts from Loaded to Unchanged.
type LoadCounts struct {
	Bytes      int64 `json:"bytes"`
	Lines      int64 `json:"lines"`
	Loaded     int64 `json:"loaded"`
	Skipped    int64 `json:"skipped"`
	Duplicates int64 `json:"duplicates"`
	Bad        int64 `json:"bad"`
	Unchanged  int64 `json:"unchanged"` // loaded by an earlier transfer
	Unmapped   int64 `json:"unmapped"`  // values of loaded lines that were left out, because no column takes them
}

// Add adds o to c.
func (c *LoadCounts) Add(o LoadCounts) {
	c.Bytes += o.Bytes
	c.Lines += o.Lines
	c.Loaded += o.Loaded
	c.Skipped += o.Skipped
	c.Duplicates += o.Duplicates
	c.Bad += o.Bad
	c.Unchanged += o.Unchanged
	c.Unmapped += o.Unmapped
}
