package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// fonts lists fonts to use when the font of the drawing is missing. All have the same
// metrics.
const fonts = "'Liberation Sans',Arimo,Helvetica,Arial,sans-serif"

// WriteSVG draws charts below each other, as one document.
func WriteSVG(w io.Writer, charts ...Chart) error {
	if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+svg(charts)); err != nil {
		return fmt.Errorf("write chart: %w", err)
	}
	return nil
}

// svg is an element that can stand by itself or within a page.
func svg(charts []Chart) string {
	canvas := vgsvg.NewWith(vgsvg.UseWH(width, vg.Length(max(1, len(charts)))*height))
	all := draw.New(canvas)
	for i := range charts {
		below := vg.Length(len(charts)-1-i) * height
		above := -vg.Length(i) * height
		charts[i].draw(draw.Crop(all, 0, 0, below, above))
	}
	var b bytes.Buffer
	_, _ = canvas.WriteTo(&b) // a buffer takes everything
	text := b.String()
	_, text, _ = strings.Cut(text, "<svg") // behind what only a document has
	text = "<svg" + text
	text = strings.ReplaceAll(text, "font-family:Liberation Sans;", "font-family:"+fonts+";")
	var titles []string
	for _, c := range charts {
		titles = append(titles, c.Title)
	}
	// Named for those who listen, and as wide as the page allows.
	head, rest, _ := strings.Cut(text, ">")
	return head + ` role="img"><title>` + escaped(strings.Join(titles, "; ")) + "</title>" + rest
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes everything
	return b.String()
}
