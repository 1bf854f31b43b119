import Testing

@testable import conversiond

@Suite struct ConnectionAdviceTests {
  @Test(arguments: [
    ("error:0A000102:SSL routines::unsupported protocol", "TLS 1.2"), ("tlsv1 alert protocol version", "TLS 1.2"),
    ("SSL certificate problem: self-signed certificate in certificate chain", "update-ca-certificates"),
    ("SSL certificate problem: unable to get local issuer certificate", "update-ca-certificates"),
    ("SSL certificate problem: certificate has expired", "clock"), ("SSL routines::wrong version number", "No TLS"),
    ("SSL: no alternative certificate subject name matches target host name 'x'", "another name"),
  ])
  func theCauseOfATLSFailureIsNamed(message: String, words: String) {
    #expect(TLSAdvice.advice(for: message, environment: [:]).lowercased().contains(words.lowercased()))
  }

  @Test func aVariableThatIsNotReadIsSaidToBe() {
    let advice = TLSAdvice.advice(
      for: "unable to get local issuer certificate", environment: ["SSL_CERT_FILE": "/etc/ca.pem"])
    #expect(advice.contains("SSL_CERT_FILE is not read here"))
  }
}
