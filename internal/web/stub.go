package web
type Letters interface{}
type Fixity interface{}
