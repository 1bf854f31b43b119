/// A 64-bit FNV-1a digest of an order's mapped values: tells a changed order from one seen before.
///
/// Resists no adversary: one who could forge an order's content could as well write a real one. `Hasher` would not do,
/// as its seed changes with each start.
public struct ContentDigest: Hashable, Sendable {
  private var hash: FNV1a

  /// The digest's bits, as SQLite's signed integer keeps them.
  public var bits: Int64 { Int64(bitPattern: hash.bits) }

  /// Wraps bits that the ledger kept.
  public init(bits: Int64) { hash = FNV1a(bits: UInt64(bitPattern: bits)) }

  /// Makes the digest of no values.
  public init() { hash = FNV1a() }

  /// Takes in one value. Each is framed by its presence and length, so that ("ab", nil) and ("a", "b") differ.
  public mutating func combine(_ value: String?) {
    guard let value else { return hash.mix(0) }
    hash.mix(1)
    var length = value.utf8.count
    for _ in 0..<8 {
      hash.mix(UInt8(truncatingIfNeeded: length))
      length >>= 8
    }
    for byte in value.utf8 { hash.mix(byte) }
  }
}
