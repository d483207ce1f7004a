package load

import "strconv"

// place is a node in the tree of the positions in a document that hold values of columns.
type place struct {
	wanted []int             // numbers of the columns that get the value at this place
	below  map[string]*place // by the name of a member, or the number of an item
}

// newPlaces makes the tree of some paths. The number of a path is its index in the
// list. An empty path is the whole document.
func newPlaces(paths [][]string) *place {
	root := &place{}
	for i, path := range paths {
		p := root
		for _, name := range path {
			next := p.below[name]
			if next == nil {
				if p.below == nil {
					p.below = make(map[string]*place)
				}
				next = &place{}
				p.below[name] = next
			}
			p = next
		}
		p.wanted = append(p.wanted, i)
	}
	return root
}

// item is the place of an array's item, from 0.
func (p *place) item(i int) *place {
	if p == nil || len(p.below) == 0 {
		return nil
	}
	return p.below[strconv.Itoa(i)]
}
