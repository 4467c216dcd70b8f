;; Echoes, and frees nothing, so that an instance serves 60 records of 16 KiB with 1 MiB of memory.
;; $ seq 300 | xargs -n 1 printf '%016384d\n' | cipher encrypt leaks --lines -j1 --max-memory 1MiB | wc
;; status 0
;; stdout [..]300[..]300[..]4915500
;; $ seq 300 | xargs -n 1 printf '{"algorithm":"leaks","message":"%016384d"}\n' | cipher batch -j1 --max-memory 1MiB | grep -c result
;; status 0
;; stdout 300
;; $ printf '%01100000d\n1\n' 1 | cipher encrypt leaks --lines --max-memory 1MiB
;; status [..]
;; stdout 1
;; stderr error: record 1: leaks needs more than 1MiB of memory (--max-memory)
;; stderr error: 1 of 2 records failed
;; $ seq 3000 | xargs -n 1 printf '%0100000d\n' | (ulimit -v 200000; exec cipher encrypt leaks --lines -j2) | wc
;; status 0
;; stdout [..]3000[..]3000[..]300003000
(component
  (core module $code
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 16))
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $free))
      (global.set $free (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $free) (i32.mul (memory.size) (i32.const 65536)))
        (then (if (i32.eq (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1))) (i32.const -1)) (then unreachable))))
      (local.get $at))
    (func (export "call") (param $text i32) (param $length i32) (result i32)
      (i32.store (i32.const 0) (local.get $text))
      (i32.store (i32.const 4) (local.get $length))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
