;; Exports functions of a type that has a short definition, but a million characters when it is written out.
;; $ cipher encrypt export-type-bomb x
;; status 4
;; stderr error: export-type-bomb does not satisfy the contract: its export 'encr' is func(input: tuple<tuple<[..] …, where the contract has func(input: string) -> string; its export 'decr' is func(input: tuple<tuple<[..] …, where the contract has func(input: string) -> string
;; $ cipher inspect export-type-bomb 2>&1 | wc -c | grep -c '^[0-9]\{1,4\}$'
;; status 0
;; stdout 1
(component
  (type $t0 (tuple u8 u8))
  (type $t1 (tuple $t0 $t0))
  (type $t2 (tuple $t1 $t1))
  (type $t3 (tuple $t2 $t2))
  (type $t4 (tuple $t3 $t3))
  (type $t5 (tuple $t4 $t4))
  (type $t6 (tuple $t5 $t5))
  (type $t7 (tuple $t6 $t6))
  (type $t8 (tuple $t7 $t7))
  (type $t9 (tuple $t8 $t8))
  (type $t10 (tuple $t9 $t9))
  (type $t11 (tuple $t10 $t10))
  (type $t12 (tuple $t11 $t11))
  (type $t13 (tuple $t12 $t12))
  (type $t14 (tuple $t13 $t13))
  (type $t15 (tuple $t14 $t14))
  (type $t16 (tuple $t15 $t15))
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" $t16) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
