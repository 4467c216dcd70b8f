;; Exports functions on bytes instead of strings.
;; $ cipher encrypt export-bytes x
;; status 4
;; stderr error: export-bytes does not satisfy the contract: its export 'encr' is func(input: list<u8>) -> list<u8>, where the contract has func(input: string) -> string; its export 'decr' is func(input: list<u8>) -> list<u8>, where the contract has func(input: string) -> string
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" (list u8)) (result (list u8))
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
