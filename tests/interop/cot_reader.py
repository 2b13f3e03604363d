"""Reads CoT events with others' programs, in their environment: lxml with MITRE's event schema, takproto.

Standard input: a JSON list of events. Standard output: a JSON list of what takproto has understood, each with
the complaints of the schema.
"""

from __future__ import annotations

import json
import sys

from google.protobuf.json_format import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
    MessageToDict,
)
from lxml import etree  # type: ignore[import-not-found, import-untyped, unused-ignore]
from takproto.functions import xml2message  # type: ignore[import-not-found, unused-ignore]

SCHEMA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="unqualified">
  <xs:simpleType name="known"><xs:restriction base="xs:decimal"/></xs:simpleType>
  <xs:simpleType name="latitude"><xs:restriction base="xs:decimal">
    <xs:minInclusive value="-90"/><xs:maxInclusive value="90"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="longitude"><xs:restriction base="xs:decimal">
    <xs:minInclusive value="-180"/><xs:maxInclusive value="180"/></xs:restriction></xs:simpleType>
  <xs:element name="event"><xs:complexType>
    <xs:all>
      <xs:element name="point"><xs:complexType>
        <xs:attribute name="lat" type="latitude" use="required"/>
        <xs:attribute name="lon" type="longitude" use="required"/>
        <xs:attribute name="hae" type="known" use="required"/>
        <xs:attribute name="ce" type="known" use="required"/>
        <xs:attribute name="le" type="known" use="required"/>
      </xs:complexType></xs:element>
      <xs:element name="detail" minOccurs="0"><xs:complexType mixed="true"><xs:sequence>
        <xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence></xs:complexType></xs:element>
    </xs:all>
    <xs:attribute name="version" use="required"><xs:simpleType><xs:restriction base="xs:decimal">
      <xs:minInclusive value="2"/><xs:maxInclusive value="2"/></xs:restriction></xs:simpleType></xs:attribute>
    <xs:attribute name="type" use="required"><xs:simpleType><xs:restriction base="xs:string">
      <xs:pattern value="\\w+(-\\w+)*(;[^;]*)?"/></xs:restriction></xs:simpleType></xs:attribute>
    <xs:attribute name="uid" type="xs:string" use="required"/>
    <xs:attribute name="time" type="xs:dateTime" use="required"/>
    <xs:attribute name="start" type="xs:dateTime" use="required"/>
    <xs:attribute name="stale" type="xs:dateTime" use="required"/>
    <xs:attribute name="how" use="required"><xs:simpleType><xs:restriction base="xs:string">
      <xs:pattern value="\\w(-\\w+)*"/></xs:restriction></xs:simpleType></xs:attribute>
  </xs:complexType></xs:element>
</xs:schema>
"""


def main() -> None:
    schema = etree.XMLSchema(etree.fromstring(SCHEMA))
    told = []
    for text in json.load(sys.stdin):
        document = etree.fromstring(text.encode())
        schema.validate(document)
        values = MessageToDict(xml2message(text)).get("cotEvent", {})
        details = values.get("detail", {}).get("xmlDetail", "")
        elements = etree.fromstring(f"<detail>{details}</detail>".encode())
        values["elements"] = {each.tag: dict(each.attrib) | {"": each.text} for each in elements}
        values["video"] = [dict(each.attrib) for each in elements.iter("ConnectionEntry")]
        values["complaints"] = [str(error) for error in schema.error_log]
        told.append(values)
    json.dump(told, sys.stdout)


main()
