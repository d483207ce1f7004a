package load

import "strconv"

// place is a node of the tree of places in a document where values are wanted.
type place struct {
	wanted []int             // numbers of the columns that take what stands here
	below  map[string]*place // by a member's name, or an item's number
}

// newPlaces makes the tree of paths; a path's place in the list is its number.
// An empty path is the whole document.
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
