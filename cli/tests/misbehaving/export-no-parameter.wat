;; Exports an encr without a parameter.
;; $ cipher encrypt export-no-parameter x
;; status 4
;; stderr error: export-no-parameter does not satisfy the contract: its export 'encr' is func() -> string, where the contract has func(input: string) -> string
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "encr") (result i32)
      (i32.const 0))
    (func (export "decr") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $encr (result string)
    (canon lift (core func $i "encr") (memory (core memory $i "memory"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
