package characterize

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
)

// maxXMP is how much of an XMP packet is read; editors leave previews and histories in it.
const maxXMP = 1 << 20

// maxXMPProperties bounds the properties of one packet.
const maxXMPProperties = 2000

const rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

// xmpProperty is a property of an XMP packet: a text or a list of texts.
type xmpProperty struct {
	name  string // without its namespace
	items []string
}

func (x *xmpProperty) value() any {
	if len(x.items) == 1 {
		return x.items[0]
	}
	return x.items
}

// readXMP reads the simple properties of a packet, and all of r. cut says that the packet has
// more. What comes before damage counts. See ISO 16684-1, 7.
func readXMP(r io.Reader) (found []xmpProperty, cut bool) {
	limited := &io.LimitedReader{R: r, N: maxXMP}
	d := xml.NewDecoder(limited)
	d.Strict = false
	p := packet{}
	for len(p.found) < maxXMPProperties {
		token, err := d.Token()
		if err != nil {
			break
		}
		p.take(token)
	}
	rest, _ := io.Copy(io.Discard, r) // what cannot be read is missed by the caller, too
	return p.found, limited.N == 0 && rest > 0 || len(p.found) >= maxXMPProperties
}

// packet collects properties: attributes and children of rdf:Description, and the items of
// lists in them. Structures are left out.
type packet struct {
	found []xmpProperty
	path  []xml.Name
	text  strings.Builder
}

func (p *packet) take(token xml.Token) {
	switch t := token.(type) {
	case xml.StartElement:
		if isRDF(t.Name, "Description") && !p.within() {
			for _, a := range t.Attr {
				if a.Name.Space != "" && a.Name.Space != "xmlns" && a.Name.Space != rdf {
					p.found = append(p.found, xmpProperty{a.Name.Local, []string{a.Value}})
				}
			}
		}
		p.path = append(p.path, t.Name)
		p.text.Reset()
	case xml.CharData:
		if p.text.Len() < maxText*2 {
			p.text.Write(t)
		}
	case xml.EndElement:
		p.end()
	}
}

// end ends the innermost element.
func (p *packet) end() {
	if len(p.path) == 0 {
		return
	}
	depth := p.description()
	text := strings.TrimSpace(p.text.String())
	p.text.Reset()
	inner := len(p.path) - 1 - depth // levels below the description
	last := p.path[len(p.path)-1]
	if depth >= 0 && text != "" {
		switch {
		case inner == 1:
			p.found = append(p.found, xmpProperty{last.Local, []string{text}})
		case inner == 3 && isRDF(last, "li"):
			p.item(p.path[depth+1].Local, text)
		}
	}
	p.path = p.path[:len(p.path)-1]
}

// item adds an item to the list that is being read.
func (p *packet) item(name, text string) {
	if i := len(p.found) - 1; i >= 0 && p.found[i].name == name {
		p.found[i].items = append(p.found[i].items, text)
		return
	}
	p.found = append(p.found, xmpProperty{name, []string{text}})
}

// description is where in the path the outermost rdf:Description is, or -1.
func (p *packet) description() int {
	return slices.IndexFunc(p.path, func(n xml.Name) bool { return isRDF(n, "Description") })
}

func (p *packet) within() bool { return p.description() >= 0 }

func isRDF(n xml.Name, local string) bool { return n.Space == rdf && n.Local == local }

// xmpValue is the first text of the first of some properties.
func (s *tagSet) xmpValue(names ...string) any {
	for _, name := range names {
		if list := s.xmpList(name); len(list) > 0 {
			return list[0]
		}
	}
	return nil
}

// xmpList are the texts of a property.
func (s *tagSet) xmpList(name string) []string {
	for i := range s.xmp {
		if s.xmp[i].name == name {
			return s.xmp[i].items
		}
	}
	return nil
}
