import Conversions
import Testing

@Suite struct EmailFaultTests {
  @Test(arguments: [
    ("Ana <ana@example.com>", EmailFault.named), ("<ana@example.com>", .named),
    ("a@example.com, b@example.com", .several),
    ("a@example.com;b@example.com", .several), ("a@example.com b@example.com", .several), ("", .blank),
    ("  \u{200B}", .blank),
    ("gAAAAABmX1Zk==", .opaque), ("5d41402abc4b2a76b9719d911017c592", .opaque), ("guest", .opaque),
    ("ana@", .malformed), ("@example.com", .malformed), ("ana maria@example.com", .malformed),
    ("ana@example.com,", .wrapped), ("ana@example.com;", .wrapped), ("mailto:ana@example.com", .wrapped),
    ("'ana@example.com'", .wrapped), ("\"ana@example.com\"", .wrapped), ("ana@example.com>", .wrapped),
    ("(ana@example.com)", .wrapped), ("MAILTO:'ana@example.com';", .wrapped), ("ana[at@example.com", .malformed),
  ])
  func aTextThatIsNoAddressIsOfAKind(text: String, kind: EmailFault) {
    #expect(EmailFault(of: text) == kind)
    let masked = EmailFault.masked(text)
    #expect(!masked.contains("example") && !masked.contains("ana@") && !masked.contains("5d4"), "\(masked)")
  }

  @Test(arguments: [
    "ana@example.com", " Ana@Example.COM ", "\u{202A}ana@example.com\u{202C}", "ana+x@bücher.example",
    "ana@example.com.", "o'hara@example.com", "\"ana(x)\"@example.com", "!#$%&'*+-/=?^_`{|}~@example.com",
  ])
  func anAddressIsNone(text: String) { #expect(EmailFault(of: text) == nil) }
}
