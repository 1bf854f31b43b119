/// Sizes as they are written in the configuration: whole numbers of binary units (IEC 80000-13).
enum SizeText {
  private static let units: [(suffix: String, shift: Int64)] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]

  /// Reads a size in bytes; `nil` for anything but digits and a binary unit. More than 64 bits hold is `Int64.max`.
  static func parse(_ text: String) -> Int64? {
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
    let digits = text.dropLast(unit.suffix.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    let (bytes, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: 1 << unit.shift)
    return overflow ? .max : bytes
  }

  /// Writes a size in the largest unit that it is a whole number of, or in bytes.
  static func write(_ bytes: Int64) -> String {
    for unit in units where bytes != 0 && bytes % (1 << unit.shift) == 0 {
      return "\(bytes >> unit.shift)\(unit.suffix)"
    }
    return "\(bytes) bytes"
  }
}
