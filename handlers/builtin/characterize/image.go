package characterize

import (
	"errors"
	"fmt"
	"image"
	"io"
	"strings"

	"github.com/bep/imagemeta"

	"github.com/balerhq/baler/internal/images"
)

// image reads the dimensions of an image from its header, and its metadata. Damaged metadata
// costs no dimensions, and a header that no decoder knows no metadata.
func (in *input) image(found *properties, format imagemeta.ImageFormat) error {
	found.by = "baler"
	tags, metaErr := in.metadata(found, format)
	if in.ctx.Err() != nil {
		return in.ctx.Err()
	}
	if _, known := found.values["width"]; !known {
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return in.unreadable(err)
		}
		config, _, err := image.DecodeConfig(in)
		if err == nil {
			found.add("width", config.Width)
			found.add("height", config.Height)
		} else if !images.Unsupported(err) && !errors.Is(err, image.ErrFormat) {
			metaErr = errors.Join(err, metaErr)
		}
	}
	if tags != nil {
		found.addTags(tags, in.args.Tags)
	}
	if metaErr != nil {
		return in.unreadable(metaErr)
	}
	return nil
}

// metadata reads EXIF, IPTC and XMP, and the dimensions of formats that image does not know.
func (in *input) metadata(found *properties, format imagemeta.ImageFormat) (*tagSet, error) {
	if format == imagemeta.ImageFormatAuto {
		return nil, nil //nolint:nilnil // GIF and BMP have none
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	set := &tagSet{}
	sources := imagemeta.EXIF | imagemeta.IPTC | imagemeta.XMP
	ownDimensions := format == imagemeta.TIFF || format == imagemeta.HEIF || format == imagemeta.AVIF || format >= imagemeta.DNG
	if ownDimensions {
		sources |= imagemeta.CONFIG
	}
	result, err := imagemeta.Decode(imagemeta.Options{
		R: in, ImageFormat: format, Sources: sources,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool {
			return in.ctx.Err() == nil && (tag.Source != imagemeta.EXIF || strings.HasPrefix(tag.Namespace, "IFD0"))
		},
		HandleTag: func(tag imagemeta.TagInfo) error { return set.add(&tag) },
		HandleXMP: func(r io.Reader) error {
			properties, cut := readXMP(r)
			set.xmp, found.cut = append(set.xmp, properties...), found.cut || cut
			return nil
		},
		Warnf: func(string, ...any) {},
	})
	if ownDimensions && result.ImageConfig.Width > 0 && result.ImageConfig.Height > 0 {
		found.add("width", result.ImageConfig.Width)
		found.add("height", result.ImageConfig.Height)
	}
	if err != nil {
		err = fmt.Errorf("metadata: %w", err)
	}
	return set, err
}

// tagSet is the metadata of an image.
type tagSet struct {
	imagemeta.Tags

	keywords []string // of IPTC, where each is a tag of its own
	xmp      []xmpProperty
}

func (s *tagSet) add(tag *imagemeta.TagInfo) error {
	if tag.Source == imagemeta.IPTC && tag.Tag == "Keywords" {
		switch v := tag.Value.(type) {
		case string:
			s.keywords = append(s.keywords, v)
		case []string:
			s.keywords = append(s.keywords, v...)
		}
	}
	if !s.Has(*tag) {
		s.Add(*tag)
	}
	return nil
}

// addTags adds the properties that the metadata has, EXIF first, then XMP, then IPTC, and
// with all also every tag.
func (p *properties) addTags(s *tagSet, all bool) {
	exif := func(name string) any { return s.EXIF()[name].Value }
	iptc := func(name string) any { return s.IPTC()[name].Value }
	if n, ok := exif("Orientation").(uint16); ok && n >= 1 && n <= 8 {
		p.add("orientation", n)
	}
	p.add("camera", camera(exif("Make"), exif("Model")))
	p.add("lens", exif("LensModel"))
	if at, err := s.GetDateTime(); err == nil && !at.IsZero() {
		p.add("taken", at.Format("2006-01-02T15:04:05")) // cameras seldom know the zone
	}
	p.add("taken", s.xmpValue("DateTimeOriginal", "DateCreated", "CreateDate"))
	if latitude, longitude, err := s.GetLatLong(); err == nil && s.EXIF()["GPSLatitude"].Value != nil && s.EXIF()["GPSLongitude"].Value != nil {
		p.add("gps_latitude", latitude)
		p.add("gps_longitude", longitude)
		if altitude, ok := number(exif("GPSAltitude")); ok {
			if below, _ := number(exif("GPSAltitudeRef")); below == 1 {
				altitude = -altitude
			}
			p.add("gps_altitude", altitude)
		}
	}
	for _, of := range []struct {
		fact       string
		exif, iptc string
		xmp        string
	}{
		{"title", "", "ObjectName", "title"},
		{"author", "Artist", "By-line", "creator"},
		{"description", "ImageDescription", "Caption-Abstract", "description"},
		{"copyright", "Copyright", "CopyrightNotice", "rights"},
		{"software", "Software", "OriginatingProgram", "CreatorTool"},
	} {
		if of.exif != "" {
			p.add(of.fact, exif(of.exif))
		}
		p.add(of.fact, s.xmpValue(of.xmp))
		p.add(of.fact, iptc(of.iptc))
	}
	p.add("keywords", s.xmpList("subject"))
	p.add("keywords", s.keywords)
	if !all {
		return
	}
	for source, tags := range map[string]map[string]imagemeta.TagInfo{"exif": s.EXIF(), "iptc": s.IPTC()} {
		for name, tag := range tags {
			if source == "iptc" && name == "Keywords" {
				p.tag(source, name, s.keywords)
				continue
			}
			p.tag(source, name, tag.Value)
		}
	}
	for _, x := range s.xmp {
		p.tag("xmp", x.name, x.value())
	}
}

// camera joins maker and model, of which many models repeat the maker.
func camera(maker, model any) any {
	a, _ := maker.(string)
	b, _ := model.(string)
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if a == "" || strings.HasPrefix(strings.ToLower(b), strings.ToLower(a)) {
		return b
	}
	return strings.TrimSpace(a + " " + b)
}

// number reads the number types of EXIF.
func number(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case interface{ Float64() float64 }:
		return v.Float64(), true
	}
	return 0, false
}
