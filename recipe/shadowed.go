package recipe

// maxCombinations bounds the work of finding rules that never apply.
const maxCombinations = 2000

// shadowed reports the rules that never apply, because rules before them match every file
// that they match.
func (c *diagnostics) shadowed(s *Step) {
	for i, r := range s.Rules {
		if before := shadowing(s.Rules[:i], r); before != nil {
			c.addAtf(r.file, r.line, "step %s: rule %s never applies, because %s before it matches the same files; move it up, or remove it",
				s.Name, r.title(), before.title())
		}
	}
}

// shadowing returns the last of the rules that together match all files that r matches; nil
// when some are left.
func shadowing(before []*Rule, r *Rule) (last *Rule) {
	for _, single := range r.combinations() {
		covered := false
		for _, b := range before {
			if b.covers(single) {
				last, covered = b, true
				break
			}
		}
		if !covered {
			return nil
		}
	}
	return last
}

// combinations are rules with one value for each condition, which together match what r does.
func (r *Rule) combinations() (all []*Rule) {
	if values(r.PUID)*values(r.MIME)*values(r.Ext) > maxCombinations {
		return []*Rule{r}
	}
	for _, puid := range orNone(r.PUID) {
		for _, mime := range orNone(r.MIME) {
			for _, ext := range orNone(r.Ext) {
				single := *r
				single.PUID, single.MIME, single.Ext = puid, mime, ext
				all = append(all, &single)
			}
		}
	}
	return all
}

func values(list []string) int { return max(len(list), 1) }

// orNone returns each value as a list of its own, or one empty list for a condition that is
// not set.
func orNone(list []string) [][]string {
	if len(list) == 0 {
		return [][]string{nil}
	}
	all := make([][]string, len(list))
	for i, v := range list {
		all[i] = []string{v}
	}
	return all
}

// covers reports whether r matches every file that other matches.
func (r *Rule) covers(other *Rule) bool {
	same := func(a, b string) bool { return a == b }
	return coversList(r.PUID, other.PUID, same) && coversList(r.MIME, other.MIME, coversMIME) && coversList(r.Ext, other.Ext, same) &&
		r.MinSize <= other.MinSize && (r.MaxSize == 0 || other.MaxSize != 0 && other.MaxSize <= r.MaxSize) &&
		(r.when == nil || r.When == other.When)
}

func coversList(list, other []string, covers func(a, b string) bool) bool {
	if len(list) == 0 {
		return true
	}
	for _, o := range other {
		found := false
		for _, v := range list {
			found = found || covers(v, o)
		}
		if !found {
			return false
		}
	}
	return len(other) > 0
}
