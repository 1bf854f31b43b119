/// A 64-bit FNV-1a digest of an order's mapped values: tells a changed order from one seen before.
///
/// Not against an adversary: whoever could forge an order's content could as well write a real one. `Hasher` would not
/// do, as its seed changes with each start.
public struct ContentDigest: Hashable, Sendable, Codable {
  /// The digest's bits, as SQLite's signed integer keeps them.
  public private(set) var bits: Int64

  /// Wraps bits that the ledger kept.
  public init(bits: Int64) { self.bits = bits }

  /// The digest of no values.
  public init() { bits = Int64(bitPattern: 0xcbf2_9ce4_8422_2325) }

  /// Takes in one value. Each is framed by its presence and length, so that ("ab", nil) and ("a", "b") differ.
  public mutating func combine(_ value: String?) {
    guard let value else { return mix(0) }
    mix(1)
    var length = value.utf8.count
    for _ in 0..<8 {
      mix(UInt8(truncatingIfNeeded: length))
      length >>= 8
    }
    for byte in value.utf8 { mix(byte) }
  }

  private mutating func mix(_ byte: UInt8) {
    bits = Int64(bitPattern: (UInt64(bitPattern: bits) ^ UInt64(byte)) &* 0x0000_0100_0000_01b3)
  }
}
