/* schema.h: the JSON schemas of the management API's document, made ready for templates.
 *
 * Only what that document uses (JSON Schema 2020-12, as OpenAPI 3.1 has it): types, lists, objects,
 * choices, bounds, formats, and references to components. Any thread. */
#pragma once

#include "json/value.h"

/* The component that a reference names, "Key" of {"$ref": "#/components/schemas/Key"}; p NULL: it is
 * none. It lives as long as the schema. */
struct str schema_ref(const struct json_object *schema);
/* The schema itself, or the component that it refers to; NULL: there is no such one. Borrowed. */
const struct json_object *schema_resolve(const struct json_object *document,
                                         const struct json_object *schema);
/* Where a component stands on the page. */
struct str schema_anchor(struct arena *a, struct str component) _must_use_;

/* Sets o.type to {words, object, object_link, or_null}: "string or null", or "list of" in front of the
 * component that its elements are. */
void schema_type(struct arena *a, const struct json_object *schema, struct json_object *o);

/* An array of {name, type, required, description, any_choices, choices, bounds} for each property of an object,
 * those of objects within it behind it: "figures[].unit". But not those that `known` has just so;
 * NULL: all of them. */
struct json_object *schema_fields(struct arena *a, const struct json_object *schema,
                                  const struct json_object *known);
/* One of them, for what is no property: a parameter of a path. */
struct json_object *schema_field(struct arena *a, struct str name, const struct json_object *schema,
                                 struct str description, bool required);
/* True when a has every property of b, so that a can be told as "b, and ...". */
bool schema_extends(const struct json_object *a, const struct json_object *b);
