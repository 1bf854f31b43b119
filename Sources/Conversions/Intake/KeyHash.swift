/// 64-bit hashes of keys in normal form, computed from raw bytes where those can be judged without a `String`.
///
/// The raw forms return nil where they are not sure: that key is then brought to normal form as a `String`.
public enum KeyHash {
  /// Returns the hash of a key that is in normal form.
  public static func of(_ text: String) -> UInt64 {
    var hash = FNV1a()
    for byte in text.utf8 { hash.mix(byte) }
    return finish(hash)
  }

  /// Returns the hash of bytes as they are: of an order's key.
  public static func of(_ bytes: Span<UInt8>) -> UInt64 {
    var hash = FNV1a()
    for index in bytes.indices { hash.mix(bytes[index]) }
    return finish(hash)
  }

  /// Returns the hash of an e-mail's normal form; nil for anything but plain ASCII without space and without a dot at
  /// the end. Text that is no address gets some hash that no address need have.
  public static func ofEmail(_ raw: Span<UInt8>) -> UInt64? {
    guard raw.count > 2, raw.count <= 320, raw[raw.count - 1] != UInt8(ascii: ".") else { return nil }
    var hash = FNV1a()
    for index in raw.indices {
      var byte = raw[index]
      guard byte > 0x20, byte < 0x7f else { return nil }
      if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { byte |= 0x20 }
      hash.mix(byte)
    }
    return finish(hash)
  }

  /// Returns the hash of an external source ID's normal form; nil for anything but printable ASCII without space around
  /// it.
  public static func ofExternalSourceID(_ raw: Span<UInt8>) -> UInt64? {
    guard raw.count > 0, raw[0] != 0x20, raw[raw.count - 1] != 0x20 else { return nil }
    var hash = FNV1a()
    for index in raw.indices {
      let byte = raw[index]
      guard byte >= 0x20, byte < 0x7f else { return nil }
      hash.mix(byte)
    }
    return finish(hash)
  }

  /// Spreads FNV-1a's last bytes over all bits (the finaliser of MurmurHash3).
  private static func finish(_ fnv: FNV1a) -> UInt64 {
    var hash = fnv.bits
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    return hash ^ (hash >> 33)
  }
}
