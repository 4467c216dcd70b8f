;; Returns 64 secure random bits, 64 insecure ones, and 64 of a seed, as one letter per four bits. Only the first are random.
;; $ for _ in 1 2; do cipher encrypt probe-random x; done | cut -c 1-16 | uniq | wc -l
;; status 0
;; stdout 2
;; $ for _ in 1 2; do cipher encrypt probe-random x; done | cut -c 17- | uniq | wc -l
;; status 0
;; stdout 1
;; $ printf 'a\na\n' | cipher encrypt probe-random --lines --isolate | cut -c 1-16 | uniq | wc -l
;; status 0
;; stdout 2
;; $ printf 'a\na\n' | cipher encrypt probe-random --lines --isolate | cut -c 17- | uniq | wc -l
;; status 0
;; stdout 1
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:random/insecure@0.2.0" (instance $insecure
    (export "get-insecure-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@0.2.0" (instance $seed
    (export "insecure-seed" (func (result (tuple u64 u64))))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $random (canon lower (func $random "get-random-u64")))
  (core func $insecure (canon lower (func $insecure "get-insecure-random-u64")))
  (core func $seed (canon lower (func $seed "insecure-seed") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "random" (func $random (result i64)))
    (import "host" "insecure" (func $insecure (result i64)))
    (import "host" "seed" (func $seed (param i32)))
    ;; Spells the bits as sixteen letters at this address.
    (func $spell (param $at i32) (param $bits i64)
      (local $end i32)
      (local.set $end (i32.add (local.get $at) (i32.const 16)))
      (loop $more
        (i32.store8 (local.get $at)
          (i32.add (i32.const 97) (i32.and (i32.const 15) (i32.wrap_i64 (local.get $bits)))))
        (local.set $bits (i64.shr_u (local.get $bits) (i64.const 4)))
        (br_if $more (i32.ne (local.get $end) (local.tee $at (i32.add (local.get $at) (i32.const 1)))))))
    (func (export "call") (param i32 i32) (result i32)
      (call $spell (i32.const 64) (call $random))
      (call $spell (i32.const 80) (call $insecure))
      (call $seed (i32.const 32))
      (call $spell (i32.const 96) (i64.load (i32.const 32)))
      (i32.store (i32.const 0) (i32.const 64))
      (i32.store (i32.const 4) (i32.const 48))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance
      (export "random" (func $random)) (export "insecure" (func $insecure)) (export "seed" (func $seed))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
