module x
require (
	a/b v1.0.0 // indirect
)
replace a/b v1.0.0 => ../c
replace d => e v1
