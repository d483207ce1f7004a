package thumbnail

import "github.com/balerhq/baler/handlers"

// docs is what the page about the handler says.
func docs() handlers.Option {
	return handlers.WithAll(
		handlers.DocArg("to", "text", "", "the folder; below `BALER_OUTPUTS` for workers, and in no source"),
		handlers.DocArg("sizes", "list", "[256]", "pixels of the longer side, from 1 to 4096, a picture for each"),
		handlers.DocArg("replace", "true or false", "false", "replaces what is there with other content; else `destination-exists`"),
		handlers.DocArg("max_pixels", "number", "200000000", "images with more pixels are left out"),
		handlers.DocFact("thumbnails", "the paths of the pictures"),
		handlers.DocFact("width", "of the upright image"),
		handlers.DocFact("height", "of the upright image"),
		handlers.DocCode("no-image", "skipped", "no decoder knows the content"),
		handlers.DocCode("too-large", "warning", "more than `max_pixels`"),
		handlers.DocCode("unsupported", "warning", "a variant that no decoder knows"),
		handlers.DocCode("malformed", "failed", "the image is damaged"),
		handlers.DocCode("destination-exists", "failed", "something else is there already: see `replace`"),
	)
}
