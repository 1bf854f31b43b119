import Conversions
import Testing

@Suite struct PartnersBaseURLTests {
  @Test(arguments: [
    ("https://offertown.net/api/v1/partners", "https://offertown.net/api/v1/partners"),
    ("https://offertown.net/api/v1/partners/", "https://offertown.net/api/v1/partners"),
    ("HTTPS://Offertown.NET:8443//a//", "https://offertown.net:8443/a"), ("https://h", "https://h"),
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://localhost/", "http://localhost"),
    ("http://[::1]:80/x", "http://[::1]:80/x"), ("http://127.200.0.9/A/b", "http://127.200.0.9/A/b"),
    ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
  ])
  func normalised(text: String, expected: String) throws {
    let url = try PartnersBaseURL(text)
    #expect(url.text == expected && url.isLoopback == expected.hasPrefix("http:"))
  }

  @Test(arguments: [
    "", "offertown.net/api", "ftp://h/", "https://", "https:///x", "https://u@h/", "https://u:p@h/", "https://h?x=1",
    "https://h/#f", "https://h:0/", "https://h:99999/", "https://h:x/", "https://h/../x", "https://h/%2e%2e/x",
    "https://h/a b", "https://münchen.de/", "https://h\n/", "https://h..x/", "https://[::1/", "https://[zz]/",
    "http://offertown.net/", "http://127.0.0.1.example.com/", "http://localhost.example.com/", "http://10.0.0.1/",
    "https://x:/", "https://x\r\n/", "file:///etc/passwd", "http://127.evil.example", "http://127.1/",
    "http://2130706433/", "http://[::ffff:127.0.0.1]/", "http://[::2]/", "https://h\\x/",
  ])
  func refused(text: String) {
    #expect(throws: PartnersBaseURL.Refused.self) { try PartnersBaseURL(text) }
  }

  @Test func theStandardOneIsNormal() throws {
    #expect(try PartnersBaseURL(PartnersBaseURL.standard.text) == .standard)
  }
}
