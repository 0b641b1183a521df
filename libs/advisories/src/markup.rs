//! XML that others wrote, element by element (XML 1.0, fifth edition), for feeds that have hundreds of megabytes of it.
//!
//! No document type is read and no entity but XML's own five and character numbers is replaced, so nothing in a
//! document can grow beyond what it is. Names are taken without their prefix: feeds bind the same vocabulary to different ones.

use crate::feed::cut;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use quick_xml::events::attributes::Attributes;
use std::borrow::Cow;

/// Elements within elements at most: OVAL's criteria, which nest deepest, stay below 20.
const DEPTH_MAX: usize = 256;

/// Why a text is not well-formed XML, with the byte at which it was noticed.
pub(crate) type Malformed = String;

/// Whether a document's head is XML whose first element has this name, under any prefix.
pub(crate) fn has_root(head: &[u8], name: &str) -> bool {
    let mut reader = Reader::from_reader(head);
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(tag) | Event::Empty(tag)) => return tag.local_name().as_ref() == name,
            Ok(Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_)) => buffer.clear(),
            Ok(Event::Text(text)) if text.trim().is_empty() => {}
            _ => return false,
        }
    }
}

/// An element's opening tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag<'a> {
    /// All between `<` and `>`.
    inside: &'a str,
    /// Where in it the name ends.
    name_end: usize,
}

impl<'a> Tag<'a> {
    fn new(inside: &'a str) -> Self {
        let name_end = inside.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(inside.len());
        Self { inside, name_end }
    }

    /// Its name without prefix.
    pub(crate) fn name(&self) -> &'a str {
        let name = &self.inside[..self.name_end];
        name.rsplit_once(':').map_or(name, |(_, local)| local)
    }

    /// The value of an attribute, by its name as written; empty where there is none.
    pub(crate) fn attribute(&self, name: &str) -> Cow<'a, str> {
        let mut attributes = Attributes::new(self.inside, self.name_end);
        attributes.with_checks(false);
        let found = attributes.flatten().find(|attribute| attribute.key.as_ref() == name);
        match found.map(|attribute| attribute.value) {
            Some(Cow::Borrowed(raw)) => unescape(raw).unwrap_or(Cow::Borrowed(raw)),
            Some(Cow::Owned(raw)) => Cow::Owned(unescape(&raw).map(Cow::into_owned).unwrap_or(raw)),
            None => Cow::Borrowed(""),
        }
    }
}

/// A document that is read forward only. After `child` gave an element, that must be read to its end by `child` (until
/// there is none), `text` or `skip` before its next sibling can be asked for.
pub(crate) struct Markup<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    depth: usize,
}

impl<'a> Markup<'a> {
    /// At the document's beginning: its one child is the outermost element.
    pub(crate) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { text, reader, depth: 0 }
    }

    /// The next element within the current one; `None` where that ends.
    pub(crate) fn child(&mut self) -> Result<Option<Tag<'a>>, Malformed> {
        loop {
            match self.step()? {
                Step::Start(tag) => return Ok(Some(tag)),
                Step::End => return Ok(None),
                Step::Text(_) => {}
            }
        }
    }

    /// All letters within the current element and those in it, to its end: at most `bytes_max` bytes of them, white
    /// space around them taken off.
    pub(crate) fn letters(&mut self, bytes_max: usize) -> Result<String, Malformed> {
        let (mut letters, outside) = (String::new(), self.depth.saturating_sub(1));
        loop {
            match self.step()? {
                Step::Text(more) if letters.len() < bytes_max => {
                    let more: &str = if letters.is_empty() { more.trim_start() } else { &more };
                    letters.push_str(cut(more, bytes_max - letters.len()));
                }
                Step::End if self.depth == outside => break,
                _ => {}
            }
        }
        letters.truncate(letters.trim_end().len());
        Ok(letters)
    }

    /// Passes over the rest of the current element.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        let outside = self.depth.saturating_sub(1);
        while !matches!(self.step()?, Step::End if self.depth == outside) {}
        Ok(())
    }

    fn step(&mut self) -> Result<Step<'a>, Malformed> {
        loop {
            let from = self.at();
            let event = self.reader.read_event().map_err(|error| format!("{error} at byte {}", self.at()))?;
            match event {
                Event::Start(_) => {
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        return Err(format!("more than {DEPTH_MAX} elements in each other at byte {from}"));
                    }
                    let written = self.text.get(from..self.at()).unwrap_or_default();
                    let inside = written.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
                    return Ok(Step::Start(Tag::new(inside)));
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Step::End);
                }
                Event::Text(text) => return Ok(Step::Text(text.into_inner())),
                Event::CData(text) => return Ok(Step::Text(text.into_inner())),
                Event::GeneralRef(entity) => {
                    let written = format!("&{};", &*entity);
                    let letters = unescape(&written).map(Cow::into_owned).unwrap_or(written.clone());
                    return Ok(Step::Text(Cow::Owned(letters)));
                }
                Event::Eof if self.depth == 0 => return Ok(Step::End),
                Event::Eof => return Err(format!("ends within {} open elements", self.depth)),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(self.text.len())
    }
}

enum Step<'a> {
    Start(Tag<'a>),
    End,
    Text(Cow<'a, str>),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with their depth, attribute `a` and letters of leaves.
    fn outline(text: &str) -> Result<String, Malformed> {
        fn walk(markup: &mut Markup<'_>, out: &mut String) -> Result<(), Malformed> {
            while let Some(tag) = markup.child()? {
                out.push_str(&format!("{}[{}]", tag.name(), tag.attribute("a")));
                match tag.name() {
                    "leaf" => out.push_str(&format!("={};", markup.letters(8)?)),
                    "over" => markup.skip()?,
                    _ => {
                        out.push('(');
                        walk(markup, out)?;
                        out.push(')');
                    }
                }
            }
            Ok(())
        }
        let mut out = String::new();
        walk(&mut Markup::new(text), &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_document_is_read_element_by_element() {
        let check = |text: &str, expected: &str| assert_eq!(outline(text).unwrap(), expected, "{text}");
        check(r#"<?xml version="1.0"?><!-- x --><r a="1"><leaf> b </leaf></r>"#, "r[1](leaf[]=b;)");
        check("<p:r xmlns:p='u'><p:leaf a='&lt;&#65;'/><q/></p:r>", "r[](leaf[<A]=;q[]())"); // prefixes are of no account
        check("<r><leaf>a&amp;b<i>c</i><![CDATA[<d>]]></leaf></r>", "r[](leaf[]=a&bc<d>;)"); // letters within letters
        check("<r><leaf>0123456789</leaf><over><r/><leaf/></over><s/></r>", "r[](leaf[]=01234567;over[]s[]())");
        check("<!DOCTYPE r [<!ENTITY e 'eeee'>]><r><leaf>&e;</leaf></r>", "r[](leaf[]=&e;;)"); // nothing grows
        check("<r\n a = '1'\n></r>", "r[1]()");
    }

    #[test]
    fn a_document_that_is_not_well_formed_is_refused_with_the_place() {
        let check = |text: &str, part: &str| {
            let error = outline(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        };
        check("<r><a>", "ends within 2 open elements");
        check("<r></s>", "at byte");
        check(&"<r>".repeat(300), "more than 256 elements");
    }

    #[test]
    fn the_outermost_element_tells_the_vocabulary() {
        let check = |text: &str, expected: bool| assert_eq!(has_root(text.as_bytes(), "updates"), expected, "{text}");
        check("<?xml version='1.0'?>\n<!-- c --><updates>", true);
        check("<p:updates/>", true);
        check("<updateinfo><updates/></updateinfo>", false);
        check("{}", false);
        check("", false);
    }
}
