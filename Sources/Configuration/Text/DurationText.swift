/// Durations as they are written in the configuration: whole numbers of ms, s, m, h or d.
public enum DurationText {
  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
  ]

  /// Reads a duration; `nil` for anything but digits and a unit. One that 64 bits of milliseconds cannot
  /// hold is as long as they can, which is beyond every limit.
  public static func parse(_ text: String) -> Duration? {
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
    let digits = text.dropLast(unit.suffix.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    let (milliseconds, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: unit.milliseconds)
    return overflow ? .milliseconds(Int64.max) : .milliseconds(milliseconds)
  }

  /// Writes a duration in the largest unit that it is a whole number of; a part of a millisecond is dropped.
  public static func write(_ duration: Duration) -> String {
    let parts = duration.components
    let (seconds, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000)
    let milliseconds = overflow ? Int64.max : seconds + parts.attoseconds / 1_000_000_000_000_000
    guard milliseconds != 0 else { return "0s" }
    for unit in units.dropFirst() where milliseconds % unit.milliseconds == 0 {
      return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
    return "\(milliseconds)ms"
  }
}
